import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { createPageSize, DEFAULT_PAGE_LIMITS } from '../../../src/ingest/reindex/page-size.js';
import { scanSlice } from '../../../src/ingest/reindex/scan-slice.js';
import { createEngineClient } from '../../../src/search-engine/client.js';
import { httpUpstream } from '../http/wire.js';

const SLICE = { index: 'i', shard: 1, from: 0, to: 10 };
const HITS =
  '{"_shards":{"failed":0},"hits":{"hits":[{"_index":"i","_id":"a","_version":1,"_seq_no":3,"_primary_term":1,"_source":{"t":"x"}}]}}';
const FAILED =
  '{"error":{"type":"search_phase_execution_exception","reason":"all shards failed"},"status":500}';

const answer = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};

describe('a slice whose node has just gone', () => {
  it('is read from another copy, in a point in time of its own', async () => {
    const asked: string[] = [];
    let opened = 0;
    const url = await httpUpstream((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.method === 'DELETE') return answer(response, 200, '{}');
        if (request.url?.includes('point_in_time')) return answer(response, 200, `{"pit_id":"p${++opened}"}`);
        const pit = (JSON.parse(body) as { pit: { id: string } }).pit.id;
        asked.push(pit);
        return pit === 'p1' ? answer(response, 500, FAILED) : answer(response, 200, HITS);
      });
    });
    const client = createEngineClient(url);
    const ids: string[] = [];
    const size = createPageSize(DEFAULT_PAGE_LIMITS);
    for await (const page of scanSlice(client, SLICE, 0, size, new AbortController().signal))
      ids.push(...page.documents.map(({ id }) => id));
    await client.close();
    assert.deepEqual(ids, ['a']);
    assert.deepEqual(asked, ['p1', 'p2']);
  });
});
