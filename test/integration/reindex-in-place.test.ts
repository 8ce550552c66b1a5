/** Documents that were written without a sidecar get their vectors where they are, against the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withVector } from '../../src/ingest/document-vector.js';
import { readReindexFailure, reindexFailureLine } from '../../src/ingest/reindex/failures.js';
import type { ReindexFailure } from '../../src/ingest/reindex/failures.js';
import { planSlices } from '../../src/ingest/reindex/plan-slices.js';
import { runOnly } from '../../src/ingest/reindex/run-only.js';
import { runSlice } from '../../src/ingest/reindex/run-slice.js';
import { NO_COUNTS, type SliceProgress } from '../../src/ingest/reindex/slice.js';
import { surveySlice } from '../../src/ingest/reindex/survey-slice.js';
import { vectorState } from '../../src/ingest/vector-state.js';
import { TwinrankError } from '../../src/errors.js';
import type { Encoder } from '../../src/model/encoder.js';
import type { IndexSettings } from '../../src/search-engine/mapping-meta.js';
import { rawDocuments, reindexDeps, reindexPass, soon } from './support/reindexing.js';
import { stackFixture } from './support/stack.js';

const { engine, stack } = stackFixture();
const { put, sourceOf, versionOf, load } = rawDocuments(engine);

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

const ONE_SHARD = { settings: { number_of_shards: 1, number_of_replicas: 0 } };

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

  it('never overwrites what others write meanwhile, and gives that its vector too', async () => {
    const { index, settings } = await madeIndex(ONE_SHARD);
    await load(index, 60);
    const edited = '{"title":"A better title", "n": 1.0}';
    const [vector] = await stack.encoder.encode(['Already done'], { kind: 'document' });
    assert.ok(vector);
    const done = withVector(Buffer.from('{"title":"Already done"}'), settings, {
      text: 'Already done',
      vector,
    });
    // Between reading and writing, since that is when texts are encoded.
    const meddling = encoderThatFirst(async () => {
      await put(index, 'd3', edited);
      await put(index, 'd4', done.toString());
      await put(index, 'd5', '{"n":5}');
      await engine.call('POST', `/${index}/_update/d6`, { script: 'ctx._source.n = 66' });
      await engine.call('DELETE', `/${index}/_doc/d7`);
      await put(index, 'new', '{"title":"Not there before"}');
    });
    const first = await reindexPass(stack, index, settings, { encoder: meddling });
    assert.deepEqual(first.failures, []);
    const { fresh, vanished, noText, failed, written } = first.counts;
    assert.deepEqual({ fresh, vanished, noText, failed }, { fresh: 1, vanished: 1, noText: 1, failed: 0 });
    assert.equal(written, 57);
    assert.equal(withVector(await sourceOf(index, 'd3'), settings).toString(), edited);
    assert.equal(await versionOf(index, 'd4'), 2);
    assert.equal((await sourceOf(index, 'd5')).toString(), '{"n":5}');
    assert.match((await sourceOf(index, 'd6')).toString(), /"n":66/);
    const second = await reindexPass(stack, index, settings);
    assert.equal(second.counts.written, 1, 'the document that is new');
    assert.equal((await reindexPass(stack, index, settings)).counts.fresh, 59);
  });

  it('gives up a document that is edited every time it is read, and names it', async () => {
    const { index, settings } = await madeIndex();
    await put(index, 'busy', '{"title":"Edited all the time"}');
    let edits = 0;
    const restless: Encoder = {
      ...port(),
      encode: async (texts, options) => {
        await put(index, 'busy', `{"title":"Edit ${++edits}"}`);
        return stack.encoder.encode(texts, options);
      },
    };
    const { counts, failures } = await reindexPass(stack, index, settings, { encoder: restless });
    assert.equal(counts.failed, 1);
    assert.equal(failures[0]?.id, 'busy');
    assert.equal((await sourceOf(index, 'busy')).toString(), `{"title":"Edit ${edits}"}`);
  });

  it('names a text that cannot be encoded, does the rest, and takes the list back', async () => {
    const { index, settings } = await madeIndex();
    await load(index, 20);
    await put(index, 'bad', '{"title":"This one fails"}', 'routing=r1');
    const [comment, mark] = ['{"title":"x" /* a note */}', '\ufeff{"title":"y"}'];
    await put(index, 'comment', comment);
    await put(index, 'mark', mark);
    const { counts, failures } = await reindexPass(stack, index, settings, { encoder: failingFor('fails') });
    assert.equal(counts.failed, 1);
    assert.equal(counts.written, 22);
    for (const id of ['comment', 'mark'])
      assert.equal(vectorState(await sourceOf(index, id), settings).vector, 'fresh');
    assert.match((await sourceOf(index, 'comment')).toString(), /,"title":"x" \/\* a note \*\/\}$/);
    const named = failures.map(({ id, routing }) => `${id} ${routing ?? ''}`).sort();
    assert.deepEqual(named, ['bad r1']);

    const lines = [
      ...failures.map(reindexFailureLine),
      reindexFailureLine({ index, id: 'gone', status: 1, reason: '' }),
    ];
    const again: ReindexFailure[] = [];
    const fed = await runOnly(
      reindexDeps(stack, settings, again),
      namesIn(lines),
      AbortSignal.timeout(30_000),
    );
    assert.deepEqual(
      { ...fed, bytes: 0 },
      { documents: 2, fresh: 0, written: 1, noText: 0, failed: 0, vanished: 1, bytes: 0 },
    );
    assert.equal(vectorState(await sourceOf(index, 'bad', 'routing=r1'), settings).vector, 'fresh');
    assert.deepEqual(again, []);
  });

  it('goes on from a cursor where another worker has stopped', async () => {
    const { index, settings } = await madeIndex({ settings: { number_of_shards: 1, number_of_replicas: 0 } });
    await load(index, 90);
    const { slices, documents } = await planSlices(stack.client, index, { docsPerSlice: 40, signal: soon() });
    assert.equal(documents, 90);
    assert.equal(slices.length, 3);
    const pageLimits = { documents: 7, bytes: 1_000_000, seconds: 60 };
    const deps = reindexDeps(stack, settings, [], { pageLimits });
    const [first, ...others] = slices;
    assert.ok(first);
    let last: SliceProgress = { cursor: first.from, counts: NO_COUNTS };
    const stolen = new TwinrankError('mapping_conflict', 'the slice is taken');
    const ended = runSlice(
      deps,
      first,
      last,
      (progress) => {
        last = progress;
        return progress.counts.documents >= 14 ? Promise.reject(stolen) : Promise.resolve();
      },
      soon(),
    );
    await assert.rejects(ended, stolen);
    assert.equal(last.cursor, 14);
    const rest = await runSlice(deps, first, last, () => Promise.resolve(), soon());
    assert.equal(rest.cursor, first.to);
    assert.equal(rest.counts.documents, 30);
    for (const slice of others) {
      const start = { cursor: slice.from, counts: NO_COUNTS };
      assert.equal(
        (await runSlice(deps, slice, start, () => Promise.resolve(), soon())).counts.documents,
        30,
      );
    }
    assert.equal((await reindexPass(stack, index, settings)).counts.fresh, 90);
  });

  it('stops when it is told to, and leaves whole documents', async () => {
    const { index, settings } = await madeIndex();
    await load(index, 40);
    const stop = new AbortController();
    const deps = reindexDeps(stack, settings, [], {
      pageLimits: { documents: 5, bytes: 1_000_000, seconds: 60 },
    });
    const { slices } = await planSlices(stack.client, index, { signal: soon() });
    const [slice] = slices;
    assert.ok(slice);
    const ended = runSlice(
      deps,
      slice,
      { cursor: slice.from, counts: NO_COUNTS },
      () => {
        stop.abort();
        return Promise.resolve();
      },
      stop.signal,
    );
    await assert.rejects(ended, (error) => error instanceof TwinrankError && error.code === 'cancelled');
    const { counts } = await reindexPass(stack, index, settings);
    assert.equal(counts.fresh + counts.written, 40);
    assert.ok(counts.fresh >= 5);
  });

  it('makes vectors anew that are stale, of another model or none, and takes away those without a text', async () => {
    const { index, settings } = await madeIndex();
    await put(index, 'stays', '{"title":"Title"}');
    await reindexPass(stack, index, settings);
    const member = /"twinrank_vector":"[^"]*"/.exec((await sourceOf(index, 'stays')).toString())?.[0] ?? '';
    await put(index, 'stale', `{"title":"Changed", ${member}}`);
    await put(index, 'no-vector', '{"twinrank_vector":"AAAA","title":"Title"}');
    await put(index, 'no-text', `{"n":1, ${member}}`);
    const { slices } = await planSlices(stack.client, index, { signal: soon() });
    const deps = { client: stack.client, settings: () => settings, all: false };
    const surveys = await Promise.all(
      slices.map((slice) => surveySlice(deps, slice, soon(), () => undefined)),
    );
    const sum = (count: (survey: (typeof surveys)[number]) => number): number =>
      surveys.reduce((total, survey) => total + count(survey), 0);
    assert.equal(
      sum(({ toEncode }) => toEncode.stale),
      1,
    );
    assert.equal(
      sum(({ toEncode }) => toEncode.malformed),
      1,
    );
    assert.equal(
      sum(({ toRemove }) => toRemove),
      1,
    );
    assert.equal(
      sum(({ fresh }) => fresh),
      1,
    );
    assert.equal(
      sum(({ characters }) => characters),
      'ChangedTitle'.length,
    );
    assert.equal(await versionOf(index, 'stale'), 1);

    const { counts } = await reindexPass(stack, index, settings);
    assert.equal(counts.written, 3);
    assert.equal((await sourceOf(index, 'no-text')).toString(), '{"n":1}');
    assert.equal(vectorState(await sourceOf(index, 'stale'), settings).vector, 'fresh');
    assert.equal(await versionOf(index, 'stays'), 2);
    await reindexPass(stack, index, settings, { all: true });
    assert.equal(await versionOf(index, 'stays'), 3);
  });

  it('does not run the default pipeline of the index a second time', async () => {
    const pipeline = engine.index('pipeline');
    await engine.call('PUT', `/_ingest/pipeline/${pipeline}`, {
      processors: [{ script: { source: 'ctx.runs = (ctx.runs ?: 0) + 1' } }],
    });
    const { index, settings } = await madeIndex({ settings: { default_pipeline: pipeline } });
    await put(index, 'a', '{"title":"Once through the pipeline"}');
    await put(index, 'b', '{"title":\n"Once, on two lines"}');
    await reindexPass(stack, index, settings);
    for (const id of ['a', 'b']) {
      const stored = await sourceOf(index, id);
      assert.equal(vectorState(stored, settings).vector, 'fresh');
      assert.match(stored.toString(), /"runs":1\b/);
    }
    await engine.call('PUT', `/${index}/_settings`, { 'index.default_pipeline': null });
    await engine.call('DELETE', `/_ingest/pipeline/${pipeline}`);
  });

  it('works on the indices behind a data stream', async () => {
    const stream = engine.index('reindex-stream');
    await engine.call('PUT', `/_index_template/${stream}`, {
      index_patterns: [stream],
      data_stream: {},
      priority: 500,
      template: {
        settings: { number_of_replicas: 0 },
        mappings: { properties: { title: { type: 'text' } } },
      },
    });
    try {
      await engine.call('PUT', `/_data_stream/${stream}`);
      const add = (title: string): Promise<unknown> =>
        engine.call('POST', `/${stream}/_doc`, { '@timestamp': '2026-01-01T00:00:00Z', title });
      await add('In the first index');
      await engine.call('POST', `/${stream}/_rollover`);
      await add('In the second index');
      const settings = await stack.setUp(stream);
      const { counts, failures } = await reindexPass(stack, stream, settings);
      assert.deepEqual(failures, []);
      assert.equal(counts.written, 2);
      assert.equal((await reindexPass(stack, stream, settings)).counts.fresh, 2);
    } finally {
      await engine.call('DELETE', `/_data_stream/${stream}`);
      await engine.call('DELETE', `/_index_template/${stream}`);
    }
  });

  it('says which index is missing or closed', async () => {
    const plan = (expression: string): Promise<unknown> =>
      planSlices(stack.client, expression, { signal: soon() });
    await assert.rejects(plan('there-is-none'), /There is no index "there-is-none"/);
    await assert.rejects(plan('there-is-none-*'), /There is no index "there-is-none-\*"/);
    const { index } = await madeIndex();
    await engine.call('POST', `/${index}/_close`);
    await assert.rejects(plan(index), /is closed.*_open/);
  });
});

/** The real encoder's parts that a stand-in shares with it. */
function port(): Pick<Encoder, 'dimensions' | 'fingerprint'> {
  return { dimensions: stack.encoder.dimensions, fingerprint: stack.encoder.fingerprint };
}

/** The real encoder, but for something that happens before its first answer. */
function encoderThatFirst(happens: () => Promise<void>): Encoder {
  let first: Promise<void> | undefined;
  return {
    ...port(),
    encode: async (texts, options) => {
      await (first ??= happens());
      return stack.encoder.encode(texts, options);
    },
  };
}

function failingFor(word: string): Encoder {
  return {
    ...port(),
    encode: (texts, options) =>
      texts.some((text) => text.includes(word))
        ? Promise.reject(new TwinrankError('encode_failed', `No vector for "${word}".`))
        : stack.encoder.encode(texts, options),
  };
}

async function* namesIn(
  lines: readonly string[],
): AsyncGenerator<{ index: string; id: string; routing?: string | undefined }> {
  for (const [i, line] of lines.entries()) {
    const name = await Promise.resolve(readReindexFailure(line, i + 1));
    if (name !== undefined) yield name;
  }
}
