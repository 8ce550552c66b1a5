/** Malformed, hostile and vanished clients: each gets its answer or its end, the others and the upstream do not notice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { passThrough } from '../../../src/http/pass-through.js';
import { shutDown } from '../../../src/http/listen.js';
import { converse, eventually, httpUpstream, rawUpstream, serviceOver, Wire } from './wire.js';

/** Status of an error answer, whose body must have the engine's shape. */
function errorStatus(answer: string): number {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const status = Number(head.split(' ')[1]);
  const parsed = JSON.parse(body) as { error: { type: string; reason: string }; status: number };
  assert.match(parsed.error.type, /^twinrank_\w+_exception$/);
  assert.ok(parsed.error.reason !== '');
  assert.match(head, new RegExp(`content-length: ${body.length}(\r\n|$)`, 'i'));
  return status;
}

const echo = (): Promise<URL> =>
  httpUpstream((request, response) => {
    request.resume();
    request.on('end', () => response.end(`<${request.url ?? ''}>`));
  });

describe('a malformed request', () => {
  const MALFORMED: Readonly<Record<string, string>> = {
    'a header folded over two lines': 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n',
    'two different lengths': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'a length that is none': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\na',
    'a negative length': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'length and chunks':
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunks and length':
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    'a coding after chunked':
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    'a space before the colon': 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\n',
    'a bare carriage return': 'GET / HTTP/1.1\r\nHost: x\r\nA: b\rc: d\r\n\r\n',
    'no HTTP at all': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    'a control character in the target': 'GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n',
  };
  for (const [what, text] of Object.entries(MALFORMED))
    it(`${what} is refused and nothing goes upstream`, async () => {
      const upstream = await rawUpstream((_text, socket) => socket.destroy());
      const { port } = await serviceOver(upstream.url);
      assert.equal(errorStatus(await converse(port, text)), 400);
      assert.deepEqual(upstream.received, []);
    });

  it('a head above 64 KB is refused', async () => {
    const upstream = await rawUpstream((_text, socket) => socket.destroy());
    const { port } = await serviceOver(upstream.url);
    const answer = await converse(port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`);
    assert.equal(errorStatus(answer), 431);
    assert.deepEqual(upstream.received, []);
  });

  it('a head of 60 KB is none', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const { port } = await serviceOver(upstream.url);
    const wire = new Wire(port).write(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(60_000)}\r\n\r\n`);
    await wire.until(/ok$/);
    wire.end();
  });

  it('a broken chunk is refused, and the upstream sees no whole request', async () => {
    const upstream = await rawUpstream(() => undefined);
    const { port } = await serviceOver(upstream.url);
    const answer = await converse(
      port,
      'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n',
    );
    assert.equal(errorStatus(answer), 400);
    await sleep(20);
    assert.ok(!upstream.received.some((text) => text.includes('\r\n0\r\n\r\n')));
  });

  it('a broken chunk after the answer has begun cuts the connection and adds nothing to the answer', async () => {
    const upstream = await httpUpstream((_request, response) => response.write('begun'));
    const { port } = await serviceOver(upstream);
    const wire = new Wire(port).write(
      'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    await wire.until(/begun/);
    const before = wire.received;
    wire.write('ZZ\r\n');
    await wire.closed;
    assert.equal(wire.received, before);
  });

  it('behind a good one waits for its turn', async () => {
    let answer: (() => void) | undefined;
    const upstream = await httpUpstream((_request, response) => {
      answer = () => response.end('first');
    });
    const { port } = await serviceOver(upstream);
    const wire = new Wire(port).write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nBROKEN\r\n\r\n');
    await eventually(() => answer !== undefined, 'the first request');
    assert.equal(wire.received, '');
    answer?.();
    await wire.closed;
    assert.match(wire.received, /^HTTP\/1.1 200 OK[^]*first[^]*HTTP\/1.1 400 Bad Request/);
  });

  it('does not touch another client’s connection', async () => {
    const { port } = await serviceOver(await echo());
    const good = new Wire(port);
    for (let i = 0; i < 5; i++) {
      good.write(`POST /${i} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab`);
      await converse(port, 'POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n');
      const vanishing = new Wire(port).write('POST /y HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab');
      await once(vanishing.socket, 'connect');
      vanishing.end();
      await good.write('cd').until(new RegExp(`</${i}>`));
    }
    assert.ok(!good.received.includes('400'));
    good.end();
  });
});

describe('pipelined requests', () => {
  it('are answered in order', async () => {
    const { port } = await serviceOver(await echo());
    const wire = new Wire(port);
    const count = 20;
    wire.write(
      Array.from({ length: count }, (_, i) =>
        i % 2 === 0
          ? `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`
          : `POST /${i} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`,
      ).join(''),
    );
    await wire.until(new RegExp(`</${count - 1}>`));
    const order = [...wire.received.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
    assert.deepEqual(
      order,
      Array.from({ length: count }, (_, i) => i),
    );
    wire.end();
  });

  it('do not block an earlier one that asks the upstream twice', async () => {
    const large = 'x'.repeat(4_000_000);
    const upstream = await httpUpstream((request, response) =>
      response.end(request.url === '/large' ? large : 'small'),
    );
    const { port } = await serviceOver(upstream, async (exchange) => {
      if (exchange.request.url === '/twice')
        await exchange.connection.collect(
          { method: 'GET', path: '/once', headers: [], body: null },
          { maxBytes: 100, signal: exchange.signal },
        );
      return passThrough(exchange);
    });
    const wire = new Wire(port).write(
      'GET /twice HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /end HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await wire.until((text) => text.length > large.length && /small$/.test(text));
    wire.end();
  });
});

describe('a client that leaves', () => {
  it('cancels what the upstream does for it', async () => {
    let cancelled = 0;
    let begun = 0;
    const upstream = await httpUpstream((request, response) => {
      begun++;
      response.on('close', () => {
        if (!response.writableFinished) cancelled++;
      });
      if (request.url === '/begun') response.write('part');
    });
    const { port } = await serviceOver(upstream);
    for (const [place, path] of ['/silent', '/begun'].entries()) {
      const wire = new Wire(port).write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(() => begun === place + 1, 'the upstream request');
      if (path === '/begun') await wire.until(/part/);
      wire.end();
      await eventually(() => cancelled === place + 1, `the end of ${path}`);
    }
  });

  it('in the middle of its body leaves no whole request upstream', async () => {
    let whole = 0;
    let broken = 0;
    const upstream = await httpUpstream((request) => {
      request.resume();
      request.on('end', () => whole++);
      request.on('error', () => broken++);
    });
    const { port } = await serviceOver(upstream);
    for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const wire = new Wire(port).write(`POST /a HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n3\r\nabc\r\n`);
      await sleep(30);
      wire.end();
    }
    await eventually(() => broken === 2, 'both ends');
    assert.equal(whole, 0);
  });
});

describe('an upstream that fails', () => {
  it('early answers reach a client that is still sending', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.includes('\r\n\r\n') && !socket.writableEnded)
        socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong');
    });
    const { port } = await serviceOver(upstream.url);
    const wire = new Wire(port).write('POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n');
    const sending = setInterval(() => wire.socket.writable && wire.write('x'.repeat(10_000)), 1);
    try {
      await wire.until(/^HTTP\/1.1 413 Too Large\r\n[^]*long$/);
    } finally {
      clearInterval(sending);
      wire.end();
    }
  });

  it('that cannot be reached is named without credentials in a 502', async () => {
    const closed = await rawUpstream(() => undefined);
    const gone = new URL(closed.url);
    gone.port = '1';
    gone.username = 'user';
    gone.password = 'secret';
    const errors: string[] = [];
    const { port } = await serviceOver(gone, undefined, { onError: (error) => errors.push(error.code) });
    const wire = new Wire(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await wire.until(/\}$/);
    assert.equal(errorStatus(wire.received), 502);
    assert.match(wire.received, /127\.0\.0\.1:1\b/);
    assert.doesNotMatch(wire.received, /user|secret/);
    // The client's connection is still good.
    wire.received = '';
    await wire.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n').until(/\}$/);
    wire.end();
  });

  it('that hangs up before answering is a 502, after that a cut connection', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return;
      if (text.includes('/half')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
      else socket.destroy();
    });
    const { port } = await serviceOver(upstream.url);
    const wire = new Wire(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await wire.until(/\}$/);
    assert.equal(errorStatus(wire.received), 502);
    wire.end();
    const half = await converse(port, 'GET /half HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(half, /\r\n\r\nabc$/);
  });

  it('a handler that throws is answered in the engine’s shape and reported', async () => {
    const errors: string[] = [];
    const { port } = await serviceOver(await echo(), () => Promise.reject(new Error('defect')), {
      onError: (error) => errors.push(error.message),
    });
    const wire = new Wire(port).write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab');
    await wire.until(/\}$/);
    assert.equal(errorStatus(wire.received), 500);
    assert.deepEqual(errors, ['Unexpected failure: defect']);
    wire.end();
  });
});

describe('shutting down', () => {
  it('lets a request under way finish and then ends, with connections kept alive', async () => {
    let answer: (() => void) | undefined;
    const upstream = await httpUpstream((_request, response) => {
      answer = () => response.end('done');
    });
    const { port, server } = await serviceOver(upstream);
    const wire = new Wire(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => answer !== undefined, 'the request');
    let ended = false;
    const down = shutDown(server, 3_600_000).then(() => (ended = true));
    await sleep(20);
    assert.equal(ended, false);
    answer?.();
    await down;
    await wire.closed;
    assert.match(wire.received, /done/);
  });
});
