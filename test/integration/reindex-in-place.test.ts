/** Documents that were written without a sidecar get their vectors where they are, against the real engine. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { withVector } from '../../src/ingest/document-vector.js';
import { vectorState } from '../../src/ingest/vector-state.js';
import type { IndexSettings } from '../../src/search-engine/mapping-meta.js';
import { engineFixture } from './support/engine.js';
import { rawRequest } from './support/raw-request.js';
import { reindexPass } from './support/reindexing.js';
import { startStack, type Stack } from './support/stack.js';

const engine = engineFixture();
let stack: Stack;
before(async () => {
  stack = await startStack(engine.url);
});
after(async () => {
  await (stack as Stack | undefined)?.close();
  await engine.cleanUp();
});

async function madeIndex(
  body: Record<string, unknown> = {},
): Promise<{ index: string; settings: IndexSettings }> {
  const index = engine.index('reindex');
  await engine.call('PUT', `/${index}`, {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    mappings: {
      properties: {
        title: { type: 'text' },
        parts: { type: 'nested' },
        x: { type: 'double' },
        e: { type: 'double' },
      },
    },
    ...body,
  });
  return { index, settings: await stack.setUp(index) };
}

/** Writes a source with its own bytes, past any sidecar. */
async function put(index: string, id: string, source: string, parameters = ''): Promise<void> {
  const answer = await rawRequest({
    url: engine.url,
    method: 'PUT',
    path: `/${index}/_doc/${encodeURIComponent(id)}?${parameters}`,
    headers: { 'content-type': 'application/json' },
    body: source,
  });
  assert.ok(answer.status < 300, answer.body.toString());
}

async function sourceOf(index: string, id: string, parameters = ''): Promise<Buffer> {
  const path = `/${index}/_source/${encodeURIComponent(id)}?${parameters}`;
  return (await rawRequest({ url: engine.url, method: 'GET', path })).body;
}

async function versionOf(index: string, id: string): Promise<number> {
  return ((await engine.call('GET', `/${index}/_doc/${id}`)) as { _version: number })._version;
}

/** Sources as they are written, and what becomes of their vectors. */
const ODD: Readonly<Record<string, string>> = {
  numbers: '{"title":"Reset your password", "n": 9007199254740993, "x": 1.0, "z": -0.0, "e":1E+2}',
  spaced: '{ "title" : "Password rules" , "s": "\\u00e9\\/ \\"quoted\\"" }',
  lines: '{\n  "title": "On several lines",\n  "list": [ 1.50,\n 2e0 ]\n}\n',
  nested: '{"parts":[{"a":1},{"a":2}],"title":"忘记密码怎么办"}',
  'an id/with?signs&': '{"title":"Escaped in a path"}',
  empty: '{"title":"", "n":1}',
  untitled: '{"n":2}',
  bare: '{}',
  list: '{"title":["one", "two"],"o":{"title":"not this"}}',
};
const WITHOUT_TEXT = ['empty', 'untitled', 'bare'];

describe('a reindex in place', () => {
  it('gives every text its vector and leaves all other bytes as they were', async () => {
    const { index, settings } = await madeIndex();
    for (const [id, source] of Object.entries(ODD)) await put(index, id, source);
    await put(index, 'routed', '{"title":"Kept on its shard"}', 'routing=somewhere');
    const { counts, failures } = await reindexPass(stack, index, settings);
    assert.deepEqual(failures, []);
    assert.deepEqual(
      { ...counts, bytes: 0 },
      { documents: 10, fresh: 0, written: 7, noText: 3, failed: 0, vanished: 0, bytes: 0 },
    );
    for (const [id, source] of Object.entries(ODD)) {
      const stored = await sourceOf(index, id);
      assert.equal(withVector(stored, settings).toString(), source.trimEnd(), id);
      const expected = WITHOUT_TEXT.includes(id) ? 'missing' : 'fresh';
      assert.equal(vectorState(stored, settings).vector, expected, id);
    }
    const routed = await sourceOf(index, 'routed', 'routing=somewhere');
    assert.equal(vectorState(routed, settings).vector, 'fresh');
  });

  it('writes nothing the second time', async () => {
    const { index, settings } = await madeIndex();
    for (const [id, source] of Object.entries(ODD)) await put(index, id, source);
    await reindexPass(stack, index, settings);
    const version = await versionOf(index, 'numbers');
    const { counts } = await reindexPass(stack, index, settings);
    assert.deepEqual(counts, {
      documents: 9,
      fresh: 6,
      written: 0,
      noText: 3,
      failed: 0,
      vanished: 0,
      bytes: 0,
    });
    assert.equal(await versionOf(index, 'numbers'), version);
  });
});
