import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { planSlices } from '../../../src/ingest/reindex/plan-slices.js';
import { createEngineClient } from '../../../src/search-engine/client.js';
import { httpUpstream } from '../http/wire.js';

const answer = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const SHARD = [{ routing: { primary: true }, docs: { count: 5 }, seq_no: { max_seq_no: 9 } }];

describe('a plan', () => {
  it('waits for a shard whose node has just gone, and then has its documents too', async () => {
    let reads = 0;
    const url = await httpUpstream((request, response) => {
      request.resume();
      const path = request.url ?? '';
      if (path.includes('_settings'))
        return answer(response, { i: { settings: { 'index.number_of_shards': '2' } } });
      if (path.includes('_count')) return answer(response, { count: 10 });
      if (!path.includes('_stats')) return answer(response, {});
      reads++;
      const shards = reads === 1 ? { 0: SHARD } : { 0: SHARD, 1: SHARD };
      return answer(response, { indices: { i: { shards } } });
    });
    const client = createEngineClient(url);
    const { signal } = new AbortController();
    const { slices, documents } = await planSlices(client, 'i', { signal });
    await client.close();
    assert.deepEqual(
      slices.map(({ shard, from, to }) => [shard, from, to]),
      [
        [0, 0, 10],
        [1, 0, 10],
      ],
    );
    assert.equal(documents, 10);
  });

  it('that is stopped while it waits says so at once', async () => {
    const url = await httpUpstream((request, response) => {
      request.resume();
      return request.url?.includes('_settings')
        ? answer(response, { i: { settings: { 'index.number_of_shards': '2' } } })
        : answer(response, { indices: { i: { shards: { 0: SHARD } } } });
    });
    const client = createEngineClient(url);
    const stop = new AbortController();
    const planned = planSlices(client, 'i', { signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    await assert.rejects(planned, { code: 'cancelled' });
    await client.close();
  });
});
