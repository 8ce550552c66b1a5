/** A copy with vectors, kept up with its source, put in its place; and what is checked beforehand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withVector } from '../../src/ingest/document-vector.js';
import { checkIndices } from '../../src/ingest/reindex/check-index.js';
import { deleteOrphans } from '../../src/ingest/reindex/orphans.js';
import { finishDest, prepareDest, type PreparedDest } from '../../src/ingest/reindex/prepare-dest.js';
import { checkSwap, swapAlias } from '../../src/ingest/reindex/swap.js';
import { blockWrites, openForWrites, unblockWrites } from '../../src/ingest/reindex/write-block.js';
import { vectorState } from '../../src/ingest/vector-state.js';
import type { Encoder } from '../../src/model/encoder.js';
import { rawDocuments, reindexPass, soon, type Reindexed } from './support/reindexing.js';
import { stackFixture } from './support/stack.js';

const { engine, stack } = stackFixture();
const { put, sourceOf, versionOf, load: loadMany } = rawDocuments(engine);
/** With a number that a second printing would change. */
async function load(index: string, count: number): Promise<void> {
  await loadMany(index, count, ', "x": 1.0');
  await engine.call('POST', `/${index}/_refresh`);
}

async function madeSource(settings: Record<string, unknown> = {}): Promise<{ source: string; dest: string }> {
  const source = engine.index('reindex-source');
  await engine.call('PUT', `/${source}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0, ...settings },
    mappings: { _meta: { owner: 'shop' }, properties: { title: { type: 'text', analyzer: 'own' } } },
  });
  await stack.setUp(source);
  return { source, dest: engine.index('reindex-dest') };
}

const ANALYSIS = { analysis: { analyzer: { own: { type: 'custom', tokenizer: 'whitespace' } } } };

function prepare(
  source: string,
  dest: string,
  model: Partial<{ fingerprint: string }> = {},
): Promise<PreparedDest> {
  const { manifest, fingerprint, dimensions } = stack.bundle;
  return prepareDest(
    stack.client,
    source,
    dest,
    { name: manifest.name, fingerprint, dimensions, ...model },
    soon(),
  );
}

function copy(prepared: PreparedDest, dest: string, encoder: Encoder = stack.encoder): Promise<Reindexed> {
  return reindexPass(stack, prepared.source, prepared.settings, { target: { dest }, encoder });
}

describe('a copy into another index', () => {
  it('has the settings, the mapping, the bytes, the routing and the versions of its source', async () => {
    const { source, dest } = await madeSource({ ...ANALYSIS, refresh_interval: '7s', number_of_replicas: 1 });
    await load(source, 30);
    await put(source, 'd1', '{"title":"Edited once", "z": -0.0}');
    await put(source, 'routed', '{\n"title":"Routed"}', 'routing=r');
    await put(source, 'bare', '{"n":1}');
    const prepared = await prepare(source, dest);
    assert.equal(prepared.created, true);
    assert.equal((await prepare(source, dest)).created, false);
    const { counts, failures } = await copy(prepared, dest);
    assert.deepEqual(failures, []);
    assert.deepEqual([counts.documents, counts.written], [32, 32]);
    for (const [id, parameters] of [
      ['d1', ''],
      ['d2', ''],
      ['routed', 'routing=r'],
      ['bare', ''],
    ] as const) {
      const copied = await sourceOf(dest, id, parameters);
      const original = await sourceOf(source, id, parameters);
      assert.equal(withVector(copied, prepared.settings).toString(), original.toString());
      assert.equal(vectorState(copied, prepared.settings).vector, id === 'bare' ? 'missing' : 'fresh');
    }
    assert.equal(await versionOf(dest, 'd1'), 2);
    const again = await copy(prepared, dest);
    assert.deepEqual([again.counts.written, again.counts.fresh], [0, 32]);

    await finishDest(stack.client, dest, soon());
    await finishDest(stack.client, dest, soon());
    const shown = (await engine.call('GET', `/${dest}?flat_settings=true`)) as Record<
      string,
      { settings: Record<string, string>; mappings: { _meta: Record<string, unknown> } }
    >;
    const { settings, mappings } = shown[dest] ?? assert.fail();
    assert.equal(settings['index.refresh_interval'], '7s');
    assert.equal(settings['index.number_of_replicas'], '1');
    assert.equal(settings['index.final_pipeline'], undefined);
    assert.equal(mappings._meta['owner'], 'shop');
  });

  it('takes fresh vectors over and encodes only what is not', async () => {
    const { source, dest } = await madeSource(ANALYSIS);
    await load(source, 10);
    const settings = await stack.setUp(source);
    await reindexPass(stack, source, settings);
    await put(source, 'd3', '{"title":"Written past the sidecar"}');
    const texts: string[] = [];
    const watched: Encoder = {
      dimensions: stack.encoder.dimensions,
      fingerprint: stack.encoder.fingerprint,
      encode: (some, options) => {
        texts.push(...some);
        return stack.encoder.encode(some, options);
      },
    };
    await copy(await prepare(source, dest), dest, watched);
    assert.deepEqual(texts, ['Written past the sidecar']);
  });

  it('catches up with edits, new documents and deletions, also of what was made anew under its old id', async () => {
    // Deletions are forgotten at once, so that what is made anew counts its versions from 1.
    const { source, dest } = await madeSource({ ...ANALYSIS, 'index.gc_deletes': '0s' });
    await load(source, 20);
    await put(source, 'again', '{"title":"Same title, same version", "n":1}');
    await put(source, 'anew', '{"title":"The old one"}');
    await put(source, 'anew', '{"title":"The old one, edited"}');
    await put(source, 'anew', '{"title":"The old one, edited again"}');
    const prepared = await prepare(source, dest);
    await copy(prepared, dest);
    await put(source, 'd1', '{"title":"Edited after it was copied"}');
    await put(source, 'new', '{"title":"New"}');
    await engine.call('DELETE', `/${source}/_doc/d2`);
    await engine.call('DELETE', `/${source}/_doc/again`);
    await engine.call('DELETE', `/${source}/_doc/anew?refresh=true`);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await put(source, 'anew', '{"title":"Made anew"}');
    await put(source, 'again', '{"title":"Same title, same version", "n":2}');
    for (const id of ['anew', 'again']) assert.equal(await versionOf(source, id), 1);

    const { counts, failures } = await copy(prepared, dest);
    assert.deepEqual(failures, []);
    assert.equal(counts.written, 4);
    const anew = await sourceOf(dest, 'anew');
    assert.equal(withVector(anew, prepared.settings).toString(), '{"title":"Made anew"}');
    assert.equal(vectorState(anew, prepared.settings).vector, 'fresh');
    const again = await sourceOf(dest, 'again');
    assert.match(again.toString(), /"n":2/);
    assert.equal((await copy(prepared, dest)).counts.written, 0);

    await finishDest(stack.client, dest, soon());
    const orphans = await deleteOrphans(stack.client, source, dest, soon());
    assert.deepEqual(orphans, { source: 22, dest: 22, deleted: 1 });
    assert.equal((await deleteOrphans(stack.client, source, dest, soon())).deleted, 0);
  });

  it('keeps out of indices that are somebody else’s', async () => {
    const { source, dest } = await madeSource(ANALYSIS);
    const other = await madeSource(ANALYSIS);
    await load(other.source, 1);
    await assert.rejects(prepare(source, other.source), /holds documents that are not a copy/);
    await assert.rejects(prepare(source, source), /is the source itself/);
    await assert.rejects(prepare(`${source},${other.source}`, dest), /stands for 2 indices/);
    await engine.call('PUT', `/${dest}`);
    await assert.rejects(prepare(source, dest), /exists and is not set up/);
    await stack.setUp(dest);
    await prepare(source, dest);
    await assert.rejects(prepare(other.source, dest), /is a copy of/);
  });

  it('makes vectors of the loaded model where the source is set up for another', async () => {
    const source = engine.index('reindex-source');
    const dest = engine.index('reindex-dest');
    await engine.call('PUT', `/${source}`);
    await stack.setUp(source, { fingerprint: 'ffffffffffffffff', model: 'old' });
    await load(source, 3);
    const prepared = await prepare(source, dest);
    assert.equal(prepared.settings.fingerprint, stack.bundle.fingerprint);
    await copy(prepared, dest);
    assert.equal(vectorState(await sourceOf(dest, 'd0'), prepared.settings).vector, 'fresh');
  });
});

describe('the swap', () => {
  it('moves an alias with its options in one step, and can be repeated', async () => {
    const { source, dest } = await madeSource(ANALYSIS);
    await prepare(source, dest);
    const alias = engine.index('reindex-alias');
    await engine.call('POST', '/_aliases', {
      actions: [
        {
          add: {
            index: source,
            alias,
            filter: { term: { n: 1 } },
            search_routing: 's',
            is_write_index: true,
          },
        },
      ],
    });
    const swap = { alias, source, dest, deleteSource: false };
    await checkSwap(stack.client, swap, soon());
    await swapAlias(stack.client, swap, soon());
    await swapAlias(stack.client, swap, soon());
    assert.deepEqual(await engine.call('GET', `/_alias/${alias}`), {
      [dest]: {
        aliases: { [alias]: { filter: { term: { n: 1 } }, search_routing: 's', is_write_index: true } },
      },
    });
    await engine.call('GET', `/${source}/_count`);
  });

  it('puts the copy in the place of an index of that name only where the index may be deleted', async () => {
    const { source, dest } = await madeSource(ANALYSIS);
    const second = engine.index('reindex-alias');
    await engine.call('PUT', `/${source}/_alias/${second}`);
    await load(source, 4);
    await copy(await prepare(source, dest), dest);
    const swap = { alias: source, source, dest, deleteSource: false };
    await assert.rejects(checkSwap(stack.client, swap, soon()), /--delete-source/);
    await swapAlias(stack.client, { ...swap, deleteSource: true }, soon());
    await swapAlias(stack.client, { ...swap, deleteSource: true }, soon());
    await engine.call('POST', `/${dest}/_refresh`);
    for (const name of [source, second])
      assert.equal(((await engine.call('GET', `/${name}/_count`)) as { count: number }).count, 4);
    await engine.call('DELETE', `/${dest}`);
  });

  it('waits for nobody behind a write block', async () => {
    const { source } = await madeSource(ANALYSIS);
    assert.deepEqual(await openForWrites(stack.client, source, soon()), [source]);
    await blockWrites(stack.client, [source], soon());
    await blockWrites(stack.client, [source], soon());
    assert.deepEqual(await openForWrites(stack.client, source, soon()), []);
    await assert.rejects(put(source, 'x', '{}'), /cluster_block/);
    await unblockWrites(stack.client, [source, 'gone-meanwhile'], soon());
    await put(source, 'x', '{}');
  });
});

describe('before anything is rewritten', () => {
  const check = (index: string, use: 'read' | 'write' = 'write'): ReturnType<typeof checkIndices> =>
    checkIndices(stack.client, index, use, stack.bundle, soon());

  it('an index must be set up for the loaded model, with a vector field of the right kind', async () => {
    const index = engine.index('reindex-check');
    await engine.call('PUT', `/${index}`);
    await assert.rejects(check(index), /is not set up.*mapping apply/);
    await assert.rejects(check('there-is-none'), /There is no index "there-is-none"/);
    await assert.rejects(check('there-is-none-*'), /There is no index/);
    await check(index, 'read');
    const settings = await stack.setUp(index);
    assert.deepEqual((await check(index)).settings.get(index), settings);
    const other = engine.index('reindex-check');
    await stack.setUp(other, { fingerprint: 'ffffffffffffffff', model: 'old' });
    await assert.rejects(check(other), /set up for model old .*--force/s);
    const { _meta } = Object.values(
      (await engine.call('GET', `/${index}/_mapping`)) as Record<string, { mappings: { _meta: unknown } }>,
    )[0]?.mappings ?? { _meta: {} };
    const wrong = engine.index('reindex-check');
    await engine.call('PUT', `/${wrong}`, {
      mappings: { _meta, properties: { twinrank_vector: { type: 'keyword' } } },
    });
    await assert.rejects(check(wrong), /field of type "keyword"/);
  });

  it('an index must keep its _source whole and take writes', async () => {
    for (const source of [{ enabled: false }, { excludes: ['secret'] }, { includes: ['title'] }]) {
      const index = engine.index('reindex-check');
      await engine.call('PUT', `/${index}`, { mappings: { _source: source } });
      await assert.rejects(check(index, 'read'), /would lose fields/);
    }
    const index = engine.index('reindex-check');
    await stack.setUp(index);
    await engine.call('PUT', `/${index}/_settings`, { 'index.blocks.read_only_allow_delete': true });
    await assert.rejects(check(index), /may not be written to.*disk/);
    await engine.call('PUT', `/${index}/_settings`, { 'index.blocks.read_only_allow_delete': null });
    await engine.call('PUT', `/${index}/_settings`, { 'index.final_pipeline': 'last' });
    assert.match((await check(index)).warnings.join(), /final pipeline "last"/);
  });
});
