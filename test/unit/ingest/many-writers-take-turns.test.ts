/** Many bulk requests and long documents at once: a few are worked on, the others wait unread, too many are refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Turnstile } from '../../../src/ingest/turnstile.js';
import { eventually, Wire } from '../http/wire.js';
import { bulkOf, faultyEngine, postBulk, sidecarOver } from './faulty-engine.js';

const signal = new AbortController().signal;
const sender = { request: new IncomingMessage(new Socket()), onSilence: () => undefined };
const turnstile = (maxWaiting: number, patienceMs = 60_000): Turnstile =>
  new Turnstile({ places: 1, maxWaiting, patienceMs, maxSilenceMs: 60_000, what: 'things' });
/** Enters as somebody whose body has come. */
const enter = (one: Turnstile, by = signal): Promise<() => void> => one.enter(by, sender);

describe('a turnstile', () => {
  it('lets in one after the other, in the order of coming', async () => {
    const one = turnstile(10);
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      [0, 1, 2, 3].map(async (n) => {
        const leave = await enter(one);
        assert.equal(++inside, 1);
        order.push(n);
        await sleep(1);
        inside--;
        leave();
        leave();
      }),
    );
    assert.deepEqual(order, [0, 1, 2, 3]);
  });

  it('refuses who would wait too long or behind too many', async () => {
    const one = turnstile(1, 20);
    const leave = await enter(one);
    const waiting = enter(one);
    await assert.rejects(enter(one), { code: 'overloaded' });
    await assert.rejects(waiting, { code: 'overloaded' });
    leave();
    (await enter(one))();
  });

  it('forgets who goes away', async () => {
    const one = turnstile(10);
    const leave = await enter(one);
    const left = new AbortController();
    const waiting = enter(one, left.signal);
    const next = enter(one);
    left.abort();
    await assert.rejects(waiting, { code: 'cancelled' });
    leave();
    (await next)();
    await assert.rejects(enter(one, left.signal), { code: 'cancelled' });
  });
});

describe('bulk requests above the number that is worked on', () => {
  it('wait, and are refused with Retry-After where the line is too long', async () => {
    const held: (() => void)[] = [];
    const engine = await faultyEngine({
      before: (_request, response) => {
        held.push(() => response.end('{"took":1,"errors":false,"items":[{"index":{"status":201}}]}'));
        return true;
      },
    });
    const url = await sidecarOver(engine.url, {
      maxConcurrentBulks: 1,
      maxWaitingBulks: 1,
      overloadPatienceMs: 60_000,
    });
    const first = postBulk(url, bulkOf(['a']));
    await eventually(() => held.length === 1, 'the first request');
    const second = postBulk(url, bulkOf(['b']));
    await sleep(50);
    assert.equal(held.length, 1);
    const third = await postBulk(url, bulkOf(['c']));
    assert.equal(third.status, 429);
    assert.equal(third.headers.get('retry-after'), '1');
    held[0]?.();
    assert.equal((await first).status, 200);
    await eventually(() => held.length === 2, 'the second request');
    held[1]?.();
    assert.equal((await second).status, 200);
  });

  it('get the place of a client that stops in the middle of its body', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, {
      maxConcurrentBulks: 1,
      overloadPatienceMs: 60_000,
      maxSilenceMs: 200,
    });
    const wire = new Wire(Number(url.port)).write(
      `POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n${bulkOf(['a'])}`,
    );
    const next = await postBulk(url, bulkOf(['b']));
    assert.equal(next.status, 200);
    await wire.closed;
    assert.match(wire.received, /^HTTP\/1.1 408 .*twinrank_request_timeout_exception/s);
  });

  it('get the place of a client that leaves', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { maxConcurrentBulks: 1, overloadPatienceMs: 60_000 });
    const wire = new Wire(Number(url.port)).write(
      `POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n${bulkOf(['a'])}`,
    );
    await sleep(50);
    const waiting = postBulk(url, bulkOf(['b']));
    wire.end();
    assert.equal((await waiting).status, 200);
  });
});

describe('long lines and documents', () => {
  const LONG = { longLineBytes: 100_000, maxPartBytes: 100_000, maxLongLines: 1, overloadPatienceMs: 60_000 };
  const long = (c: string): string => c.repeat(400_000);

  it('go through one at a time, in bulk bodies of several as well', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, LONG);
    const body = bulkOf(['a', long('b'), 'c', long('d'), long('e')]);
    const puts = ['1', '2'].map(
      (id) =>
      fetch(new URL(`/i/_doc/${id}`, url), { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: long('f') }) }), // prettier-ignore
    );
    const replies = await Promise.all([
      postBulk(url, body),
      postBulk(url, body),
      postBulk(url, body),
      ...puts,
    ]);
    for (const reply of replies) assert.equal(reply.status, 200);
    assert.ok([...engine.writes].every(([id, count]) => count === (id.startsWith('d') ? 3 : count)));
    assert.equal(engine.writes.get('d4'), 3);
  });

  it('give their turn back when the client leaves in the middle of one', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, LONG);
    for (const path of ['/_bulk', '/i/_doc/1']) {
      const wire = new Wire(Number(url.port)).write(
        `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n{"index":{"_index":"i"}}\n${long('x')}`,
      );
      await sleep(100);
      wire.end();
    }
    assert.equal((await postBulk(url, bulkOf([long('b')]))).status, 200);
  });

  const stopped: readonly (readonly [string, string, string, string])[] = [
    ['a bulk body', '/_bulk', '', `{"index":{"_index":"i"}}\n${long('x')}`],
    ['a document', '/i/_doc/1', '', `{"title":"${long('x')}`],
    ['an update', '/i/_update/1', '', `{"doc":{"title":"${long('x')}`],
    ['a compressed document', '/i/_doc/1', 'Content-Encoding: gzip\r\n', firstOfGzip(randomBytes(400_000))],
    ['a document that passes through', '/i/_doc/1', '', `{"title":"${'x'.repeat(1_200_000)}`],
  ];
  for (const [what, path, header, begun] of stopped)
    it(`get the turn of a client that stops in the middle of ${what}`, async () => {
      const engine = await faultyEngine();
      const url = await sidecarOver(engine.url, { ...LONG, maxSilenceMs: 200, maxDocumentBytes: 1_000_000 });
      const wire = new Wire(Number(url.port)).write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${header}Transfer-Encoding: chunked\r\n\r\n`,
      );
      wire.write(`${begun.length.toString(16)}\r\n`).write(begun);
      // Until it has its turn.
      await sleep(150);
      assert.equal((await postBulk(url, bulkOf([long('b')]))).status, 200);
      await wire.closed;
      assert.match(wire.received, /^HTTP\/1.1 408 .*twinrank_request_timeout_exception/s);
    });

  it('are waited for as long as nobody else wants the turn', async () => {
    const engine = await faultyEngine();
    const url = await sidecarOver(engine.url, { ...LONG, maxSilenceMs: 50 });
    const document = JSON.stringify({ title: long('x') });
    const wire = new Wire(Number(url.port)).write(
      `PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${document.length}\r\n\r\n${document.slice(0, -5)}`,
    );
    await sleep(400);
    assert.equal(wire.received, '');
    wire.write(document.slice(-5));
    await eventually(() => wire.received.startsWith('HTTP/1.1 2'), 'the answer');
  });
});

/** The first half of what gzip makes of it, which is long enough to be long when decompressed. */
function firstOfGzip(bytes: Buffer): string {
  const whole = gzipSync(Buffer.from(`{"title":"${bytes.toString('hex')}`));
  return whole.toString('latin1', 0, whole.length / 2);
}
