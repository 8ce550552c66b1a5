/** What goes wrong between a reindex and the real engine: lost points in time, cut connections, a busy engine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { planSlices } from '../../src/ingest/reindex/plan-slices.js';
import { runSlice } from '../../src/ingest/reindex/run-slice.js';
import { NO_COUNTS } from '../../src/ingest/reindex/slice.js';
import { createEngineClient, type EngineClient } from '../../src/search-engine/client.js';
import type { IndexSettings } from '../../src/search-engine/mapping-meta.js';
import { rawDocuments, reindexDeps, reindexPass, soon } from './support/reindexing.js';
import { stackFixture } from './support/stack.js';

const { engine, stack } = stackFixture();
const { versionOf, load } = rawDocuments(engine);

async function madeIndex(count: number): Promise<{ index: string; settings: IndexSettings }> {
  const index = engine.index('reindex');
  await engine.call('PUT', `/${index}`, { settings: { number_of_shards: 1, number_of_replicas: 0 } });
  const settings = await stack.setUp(index);
  await load(index, count);
  return { index, settings };
}

/** What a troublemaker does with a request: lets it pass, answers itself, or cuts the connection after the engine. */
type Trouble = 'pass' | 'cut' | { readonly status: number };

/** The engine with trouble before it. */
async function troubled(
  trouble: (request: IncomingMessage) => Trouble,
  use: (client: EngineClient) => Promise<void>,
): Promise<void> {
  const server: Server = createServer((request, response) => {
    const what = trouble(request);
    if (typeof what === 'object') {
      request.resume();
      response.writeHead(what.status, { 'content-type': 'application/json' }).end('{"error":"trouble"}');
    } else forward(request, response, what === 'cut');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createEngineClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  try {
    await use(client);
  } finally {
    await client.close();
    server.closeAllConnections();
    server.close();
  }
}

function forward(request: IncomingMessage, response: ServerResponse, cut: boolean): void {
  const { method, url, headers } = request;
  const upstream = httpRequest(`${engine.url}${url ?? ''}`, { method, headers }, (answer) => {
    answer.once('end', () => {
      if (cut) request.socket.destroy();
    });
    if (cut) answer.resume();
    else answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
  });
  upstream.on('error', () => request.socket.destroy());
  request.pipe(upstream);
}

describe('a reindex goes on', () => {
  it('where the engine has dropped its point in time', async () => {
    const { index, settings } = await madeIndex(60);
    const { slices } = await planSlices(stack.client, index, { signal: soon() });
    const [slice] = slices;
    assert.ok(slice);
    const deps = reindexDeps(stack, settings, [], {
      pageLimits: { documents: 9, bytes: 1_000_000, seconds: 60 },
    });
    let dropped = 0;
    const end = await runSlice(
      deps,
      slice,
      { cursor: slice.from, counts: NO_COUNTS },
      async () => {
        await engine.call('DELETE', '/_search/point_in_time/_all');
        dropped++;
      },
      soon(),
    );
    assert.ok(dropped > 3);
    assert.deepEqual([end.counts.documents, end.counts.written], [60, 60]);
  });

  it('where the engine knows no point in time', async () => {
    const { index, settings } = await madeIndex(30);
    const unknown = (request: IncomingMessage): Trouble =>
      /point_in_time|_pit/.test(request.url ?? '') ? { status: 400 } : 'pass';
    await troubled(unknown, async (client) => {
      const { counts } = await reindexPass(stack, index, settings, {
        client,
        pageLimits: { documents: 7, bytes: 1_000_000, seconds: 60 },
      });
      assert.deepEqual([counts.documents, counts.written], [30, 30]);
    });
    assert.equal((await reindexPass(stack, index, settings)).counts.fresh, 30);
  });

  it('where an answer to a write is lost: what was written is found to be so', async () => {
    const { index, settings } = await madeIndex(25);
    let writes = 0;
    const losing = (request: IncomingMessage): Trouble =>
      /_bulk/.test(request.url ?? '') && writes++ === 0 ? 'cut' : 'pass';
    await troubled(losing, async (client) => {
      const { counts, failures } = await reindexPass(stack, index, settings, { client });
      assert.deepEqual(failures, []);
      assert.deepEqual([counts.documents, counts.fresh, counts.written], [25, 25, 0]);
    });
    assert.equal(writes, 2);
    assert.equal(await versionOf(index, 'd1'), 2);
  });

  it('where the engine is busy or away for a while', async () => {
    const { index, settings } = await madeIndex(25);
    const seen = new Map<string, number>();
    const busy = (request: IncomingMessage): Trouble => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const times = (seen.get(path) ?? 0) + 1;
      seen.set(path, times);
      return times === 1 ? { status: 429 } : times === 2 ? 'cut' : 'pass';
    };
    await troubled(busy, async (client) => {
      const { counts, failures } = await reindexPass(stack, index, settings, { client });
      assert.deepEqual(failures, []);
      assert.equal(counts.fresh + counts.written, 25);
    });
    assert.equal((await reindexPass(stack, index, settings)).counts.fresh, 25);
  });
});
