/** The sidecar over HTTP against an engine that answers as no real one can be told to. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createIngester, DEFAULT_INGEST_OPTIONS, type IngestOptions } from '../../../src/ingest/app.js';
import { writeRoute } from '../../../src/ingest/write-route.js';
import { httpUpstream, rawUpstream, serviceOver, Wire } from '../http/wire.js';
import { encoderThat, settingsReader } from './fixtures.js';

const encoder = encoderThat(() => Promise.resolve());

async function sidecar(engine: RequestListener | URL, options: Partial<IngestOptions> = {}): Promise<URL> {
  const upstream = engine instanceof URL ? engine : await httpUpstream(engine);
  const all = { ...DEFAULT_INGEST_OPTIONS, overloadPatienceMs: 0, retryForMs: 0, ...options };
  return (await serviceOver(upstream, createIngester({ encoder, settings: settingsReader }, all))).url;
}

/** An engine that accepts every item of a bulk and shows what it got. */
function acceptingEngine(bodies: string[], headers: string[][] = []): RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      bodies.push(body);
      headers.push(request.rawHeaders);
      const ids = [...body.matchAll(/"_id":"(\w+)"/g)].map((match) => match[1] ?? '');
      response.setHeader('content-type', 'application/json');
      if (body.trim() === '')
        response.writeHead(400).end('{"error":"request body is required","status":400}');
      else
        response.end(
          `{"took": 1, "errors": false, "items": [${ids.map((id) => `{"index":{"_id":"${id}","status":201}}`).join(', ')}]}`,
        );
    });
  };
}

const bulk = (...titles: string[]): string =>
  titles.map((title, i) => `{"index":{"_index":"i","_id":"d${i}"}}\n{"title":"${title}"}\n`).join('');
const ndjson = { 'content-type': 'application/x-ndjson' };
const post = (
  url: URL,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = ndjson,
): Promise<Response> => fetch(new URL(path, url), { method: 'POST', headers, body });

describe('a bulk request through the sidecar', () => {
  it('gets the engine’s own reply where nothing was rejected', async () => {
    const bodies: string[] = [];
    const url = await sidecar(acceptingEngine(bodies));
    const reply = await post(url, '/_bulk', bulk('a', 'b'));
    assert.equal(
      await reply.text(),
      '{"took": 1, "errors": false, "items": [{"index":{"_id":"d0","status":201}}, {"index":{"_id":"d1","status":201}}]}',
    );
    assert.equal(reply.headers.get('x-twinrank'), 'ingested; vector=2');
    assert.equal(bodies[0]?.match(/"vec":"/g)?.length, 2);
  });

  it('gets rejected items in their places', async () => {
    const url = await sidecar(acceptingEngine([]));
    for (const titles of [
      ['fail', 'b', 'c'],
      ['a', 'fail', 'c'],
      ['a', 'b', 'fail'],
      ['fail', 'fail', 'fail'],
    ]) {
      const reply = await post(url, '/i/_bulk', bulk(...titles));
      assert.equal(reply.status, 200);
      const body = (await reply.json()) as {
        errors: boolean;
        items: { index: { _id: string; status: number } }[];
      };
      assert.equal(body.errors, true);
      assert.deepEqual(
        body.items.map(({ index }) => `${index._id} ${index.status}`),
        titles.map((t, i) => `d${i} ${t === 'fail' ? 500 : 201}`),
      );
    }
  });

  it('gets the engine’s refusal, rejected items or not', async () => {
    for (const status of [401, 403, 413, 429, 503]) {
      const url = await sidecar((request, response) => {
        request.resume().on('end', () => response.writeHead(status).end('{"error":"in the engine’s words"}'));
      });
      for (const titles of [['a'], ['fail'], ['a', 'fail']]) {
        const reply = await post(url, '/_bulk', bulk(...titles));
        assert.equal(reply.status, status);
        assert.equal(await reply.text(), '{"error":"in the engine’s words"}');
      }
    }
  });

  it('gets the engine’s 400 for a malformed line, even behind rejected items', async () => {
    const bodies: string[] = [];
    const url = await sidecar((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(400).end('{"error":"Malformed action/metadata line [3]"}');
      });
    });
    for (const text of ['broken\n', `${bulk('fail')}broken\n{"title":"x"}\n`]) {
      const reply = await post(url, '/_bulk', text);
      assert.equal(reply.status, 400);
      assert.match(await reply.text(), /Malformed action/);
    }
    assert.deepEqual(bodies, ['broken\n', 'broken\n{"title":"x"}\n']);
  });

  it('may come gzipped, and is refused where it is not what it says', async () => {
    const bodies: string[] = [];
    const headers: string[][] = [];
    const url = await sidecar(acceptingEngine(bodies, headers));
    const zipped = await post(url, '/_bulk', gzipSync(bulk('a')), { ...ndjson, 'content-encoding': 'gzip' });
    assert.equal(zipped.status, 200);
    assert.match(bodies[0] ?? '', /"vec":"/);
    assert.ok(!headers[0]?.some((name) => name.toLowerCase() === 'content-encoding'));
    const lie = await post(url, '/_bulk', 'not gzip', { ...ndjson, 'content-encoding': 'gzip' });
    assert.equal(lie.status, 400);
    assert.match(await lie.text(), /not the gzip/);
    const other = await post(url, '/_bulk', 'x', { 'content-type': 'application/cbor' });
    assert.equal(other.headers.get('x-twinrank'), 'skipped; reason=format');
  });

  it('with a line above the limit is refused, and the engine gets no whole request', async () => {
    let whole = 0;
    const url = await sidecar((request) => request.resume().on('end', () => whole++).on('error', () => undefined), { maxLineBytes: 1000 }); // prettier-ignore
    const reply = await post(url, '/_bulk', bulk('x'.repeat(200_000)));
    assert.equal(reply.status, 413);
    assert.equal(whole, 0);
  });

  it('that the client gives up does not reach the engine as a whole one', async () => {
    let requests = 0;
    const upstream = await httpUpstream(() => requests++);
    const url = await sidecar(upstream);
    const wire = new Wire(Number(url.port)).write(
      `POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n${bulk(...Array.from({ length: 3000 }, () => 'a'))}`,
    );
    await sleep(50);
    wire.end();
    await sleep(50);
    assert.equal(requests, 0);
  });

  it('to an engine that is gone is a 502 in its shape', async () => {
    const gone = await rawUpstream((_text, socket) => socket.destroy());
    const reply = await post(await sidecar(gone.url), '/_bulk', bulk('a', 'fail'));
    assert.equal(reply.status, 502);
    assert.match(await reply.text(), /"type":"twinrank_upstream_unreachable_exception"/);
  });
});

describe('a document through the sidecar', () => {
  it('gets its vector, and the client the engine’s reply', async () => {
    const bodies: string[] = [];
    const url = await sidecar(acceptingEngine(bodies));
    const source = '{"n": 9007199254740993, "title":"a"}';
    for (const path of ['/i/_doc', '/i/_doc/1?refresh=true', '/i/_create/2']) {
      const reply = await post(url, path, source, { 'content-type': 'application/json' });
      assert.equal(reply.headers.get('x-twinrank'), 'ingested; vector=1', path);
    }
    for (const body of bodies)
      assert.match(body, /^\{"vec":"[\w+/=]+","n": 9007199254740993, "title":"a"\}$/);
  });

  it('that cannot be encoded is an error in the engine’s shape', async () => {
    const url = await sidecar(acceptingEngine([]));
    const reply = await post(url, '/i/_doc', '{"title":"fail"}', { 'content-type': 'application/json' });
    assert.equal(reply.status, 500);
    assert.match(await reply.text(), /twinrank_encode_failed_exception/);
  });

  it('above the limit passes through whole without a vector', async () => {
    const bodies: string[] = [];
    const url = await sidecar(acceptingEngine(bodies), { maxDocumentBytes: 1000 });
    const source = JSON.stringify({ title: 'x'.repeat(300_000) });
    const reply = await post(url, '/i/_doc', source, { 'content-type': 'application/json' });
    assert.equal(reply.headers.get('x-twinrank'), 'skipped; reason=body_too_large');
    assert.equal(bodies[0], source);
  });
});

describe('a write', () => {
  it('is recognised by method and path', () => {
    for (const [method, target, expected] of [
      ['POST', '/_bulk?refresh', { kind: 'bulk', index: undefined }],
      ['PUT', '/a%20b/_bulk', { kind: 'bulk', index: 'a b' }],
      ['POST', '/i/_doc/_bulk', { kind: 'bulk', index: 'i' }],
      ['POST', '/i/product/_bulk', { kind: 'bulk', index: 'i' }],
      ['POST', '/i/_x/_bulk', undefined],
      ['POST', '/i/_doc', { kind: 'document', index: 'i' }],
      ['PUT', '/i/_doc/a%2Fb?op_type=create', { kind: 'document', index: 'i' }],
      ['PUT', '/i/_create/1', { kind: 'document', index: 'i' }],
      ['PUT', '/i/_doc', undefined],
      ['PUT', '/i/product/1', { kind: 'document', index: 'i' }],
      ['POST', '/i/product/1', { kind: 'document', index: 'i' }],
      ['POST', '/i/product', { kind: 'document', index: 'i' }],
      ['PUT', '/i/product/1/_create', { kind: 'document', index: 'i' }],
      ['PUT', '/i/_doc/1/_create', { kind: 'document', index: 'i' }],
      ['PUT', '/i/product/1/_create/x', undefined],
      ['PUT', '/i/product', undefined],
      ['POST', '/i/product/_search', undefined],
      ['PUT', '/i/product/_mapping', undefined],
      ['PUT', '/i/_alias/a', undefined],
      ['POST', '/i/_refresh', undefined],
      ['POST', '/i/_create', undefined],
      ['GET', '/i/_doc/1', undefined],
      ['DELETE', '/i/_doc/1', undefined],
      ['POST', '/i/_update/a%2Fb?routing=x', { kind: 'update', index: 'i', id: 'a/b' }],
      ['POST', '/%3Ci-%7Bnow%2Fd%7D%3E/_update/1', { kind: 'update', index: '<i-{now/d}>', id: '1' }],
      ['POST', '/i/product/1/_update', { kind: 'update', index: 'i', id: '1' }],
      ['POST', '/i/_doc/1/_update', { kind: 'update', index: 'i', id: '1' }],
      ['POST', '/i/_update/_update', { kind: 'update', index: 'i', id: '_update' }],
      ['PUT', '/i/_update/1', undefined],
      ['POST', '/i/_update', undefined],
      ['POST', '/i/_update/1/x', undefined],
      ['POST', '/i/_update/1/_update', undefined],
      ['POST', '/i/_update/%E7%9', undefined],
      ['POST', '/i/_update_by_query', undefined],
      ['POST', '/i/_search', undefined],
      ['POST', '/_reindex', undefined],
      ['PUT', '/i', undefined],
      ['POST', '/%E7%9/_doc', undefined],
      ['POST', '/_x/_doc', undefined],
    ] as const)
      assert.deepEqual(writeRoute(method, target), expected, `${method} ${target}`);
  });
});
