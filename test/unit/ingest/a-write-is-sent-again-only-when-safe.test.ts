/** Retries: what the engine did nothing of is sent again, what it may have carried out never is. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { RetryWindow } from '../../../src/ingest/retry-window.js';
import { rawUpstream } from '../http/wire.js';
import {
  bulkOf,
  errorText,
  faultyEngine,
  postBulk,
  resultsOf,
  sidecarOver,
  type BulkAnswer,
} from './faulty-engine.js';

const RETRY = { retryForMs: 10_000 };
const putDocument = (url: URL, path = '/i/_doc/1'): Promise<Response> =>
  fetch(new URL(path, url), { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"title":"a"}' }); // prettier-ignore

describe('a write that the engine refuses for now', () => {
  for (const [name, send] of [
    ['bulk', (url: URL) => postBulk(url, bulkOf(['a', 'b']))],
    ['document', (url: URL) => putDocument(url)],
  ] as const) {
    it(`is sent again until it is taken (${name})`, async () => {
      let refusals = 2;
      const engine = await faultyEngine({
        before: (_request, response) => {
          if (refusals-- <= 0) return false;
          response.writeHead(429).end(errorText(429, 'full', 'rejected_execution_exception'));
          return true;
        },
      });
      const reply = await send(await sidecarOver(engine.url, RETRY));
      assert.equal(reply.status, 200);
      assert.equal(engine.bodies.length, 1);
    });

    it(`is answered as the engine does when the time is over, or never to be sent again (${name})`, async () => {
      for (const [retryForMs, type, headers] of [
        [0, 'rejected_execution_exception', {}],
        [10_000, 'cluster_block_exception', {}],
        [10_000, 'rejected_execution_exception', { 'Retry-After': '60' }],
      ] as const) {
        let requests = 0;
        const engine = await faultyEngine({
          before: (_request, response) => {
            requests++;
            response.writeHead(429, headers).end(errorText(429, 'full', type));
            return true;
          },
        });
        const reply = await send(await sidecarOver(engine.url, { retryForMs }));
        assert.equal(reply.status, 429);
        assert.equal(await reply.text(), errorText(429, 'full', type));
        assert.equal(requests, 1);
      }
    });
  }
});

describe('items that the engine refuses for now', () => {
  it('are sent again alone and in order, and their results come to their places', async () => {
    const engine = await faultyEngine({
      refuse: ({ id }, nth) => (nth === 1 && ['d1', 'd3', 'd4'].includes(id)) || (nth === 2 && id === 'd3') ? 429 : undefined, // prettier-ignore
    });
    const url = await sidecarOver(engine.url, RETRY);
    const answer = (await (
      await postBulk(url, bulkOf(['a', 'b', 'c', 'd', 'e'], 'create'))
    ).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 201', 'd1 201', 'd2 201', 'd3 201', 'd4 201']);
    assert.equal(answer.errors, false);
    assert.deepEqual(
      engine.bodies.map((body) => [...body.matchAll(/"_id":"(d\d)"/g)].map((match) => match[1]).join()),
      ['d0,d1,d2,d3,d4', 'd1,d3,d4', 'd3'],
    );
    assert.ok([...engine.writes.values()].every((count) => count === 1));
  });

  it('keep their refusal where a later item of the same document was carried out', async () => {
    const engine = await faultyEngine({
      refuse: ({ source }) => (source.includes('"older"') ? 429 : undefined),
    });
    const url = await sidecarOver(engine.url, RETRY);
    const body = bulkOf(['older']) + bulkOf(['newer']);
    const answer = (await (await postBulk(url, body)).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 429', 'd0 201']);
    assert.equal(engine.bodies.length, 1);
  });

  it('keep it when the time is over, and other failures are not repeated', async () => {
    const engine = await faultyEngine({ refuse: ({ id }) => (id === 'd0' ? 429 : id === 'd1' ? 400 : undefined) }); // prettier-ignore
    const url = await sidecarOver(engine.url, { retryForMs: 150 });
    const answer = (await (await postBulk(url, bulkOf(['a', 'b', 'c']))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 429', 'd1 400', 'd2 201']);
    assert.equal(answer.errors, true);
    assert.ok(engine.bodies.length > 1);
    assert.ok(engine.bodies.slice(1).every((body) => !body.includes('d1') && !body.includes('d2')));
  });
});

describe('a connection that breaks', () => {
  it('before the whole request was handed over is made anew', async () => {
    const engine = await faultyEngine({
      early: (request, _response, nth) => {
        if (nth > 2) return false;
        request.socket.destroy();
        return true;
      },
    });
    const url = await sidecarOver(engine.url, { ...RETRY, maxPartBytes: 64 * 1024 * 1024 });
    // Long enough not to fit into the socket's buffers.
    const reply = await postBulk(url, bulkOf(['x'.repeat(20_000_000)]));
    assert.equal(reply.status, 200);
    assert.equal(engine.writes.get('d0'), 1);
  });

  it('that was never had is tried until the engine is up', async () => {
    const free = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const url = await sidecarOver(new URL(`http://127.0.0.1:${port}`), RETRY);
    const posted = [postBulk(url, bulkOf(['a'])), putDocument(url)];
    const engine = createServer((request, response) => {
      request
        .resume()
        .on('end', () => response.end('{"took":1,"errors":false,"items":[{"index":{"status":201}}]}'));
    });
    after(() => engine.closeAllConnections());
    await new Promise((resolve) => setTimeout(resolve, 150));
    await new Promise<void>((resolve) => engine.listen(port, '127.0.0.1', resolve));
    after(() => engine.close());
    for (const reply of await Promise.all(posted)) assert.equal(reply.status, 200);
    connect({ port, host: '127.0.0.1' }).destroy();
  });

  it('behind a request that had left is not repaired: the caller hears that it may have been written', async () => {
    const gone = await rawUpstream((text, socket) => {
      if (text.includes('"title"')) socket.destroy();
    });
    const url = await sidecarOver(gone.url, RETRY);
    for (const reply of [await postBulk(url, bulkOf(['a', 'fail'])), await putDocument(url)]) {
      assert.equal(reply.status, 502);
      assert.match(
        await reply.text(),
        /"type":"twinrank_upstream_unreachable_exception".*may have been written/,
      );
    }
    assert.equal(gone.received.filter((text) => text.includes('"title"')).length, 2);
  });

  it('in a later part fails its items and not the others', async () => {
    const engine = await faultyEngine({
      before: (request, _response, nth) => {
        if (nth !== 2) return false;
        request.socket.destroy();
        return true;
      },
    });
    const url = await sidecarOver(engine.url, { ...RETRY, maxPartItems: 2 });
    const answer = (await (await postBulk(url, bulkOf(['a', 'b', 'c', 'd', 'e']))).json()) as BulkAnswer;
    assert.deepEqual(resultsOf(answer), ['d0 201', 'd1 201', 'd2 502', 'd3 502', 'd4 201']);
    assert.match(String(answer.items[2]?.['index']?.error?.reason), /may have been written/);
  });
});

describe('the time to try again', () => {
  it('is counted from the first failure after a success, and not waited beyond', () => {
    let now = 0;
    const window = new RetryWindow(1000, () => now);
    assert.ok((window.next(null) ?? NaN) <= 100);
    now = 999;
    assert.ok((window.next(null) ?? NaN) <= 1);
    now = 1000;
    assert.equal(window.next(null), undefined);
    window.succeeded();
    assert.equal(window.next(500), 500);
    assert.equal(window.next(1500), undefined);
    assert.equal(new RetryWindow(0).next(null), undefined);
  });
});
