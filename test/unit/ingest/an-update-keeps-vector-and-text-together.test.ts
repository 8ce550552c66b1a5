/** Updates: which texts they bear on, what text the engine will make of them, and what becomes of the vector. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { createRandom } from '../../../src/evaluate/random.js';
import { vectorMembers } from '../../../src/ingest/document-vector.js';
import { mergeMembers } from '../../../src/ingest/update/merge-documents.js';
import { touchOf } from '../../../src/ingest/update/update-body.js';
import {
  createUpdateVectorizer,
  type CurrentDocument,
  type VectorizedUpdate,
} from '../../../src/ingest/update/vectorize-update.js';
import type { ClientVectors, FailurePolicy } from '../../../src/ingest/vectorizer.js';
import { documentText } from '../../../src/search-engine/document-text.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import { encoderThat, SETTINGS, vectorOf } from './fixtures.js';

const TWO: IndexSettings = { ...SETTINGS, textFields: ['title', 'body'] };
const encoder = encoderThat(() => Promise.resolve());
const signal = new AbortController().signal;
const TARGET = { index: 'i', id: '1', routing: 'r' };

const vec = (text: string, settings = SETTINGS): string =>
  vectorMembers(settings, { text, vector: vectorOf(text) });
const stored = (source: string): CurrentDocument => ({
  state: 'found',
  source: Buffer.from(source),
  version: 7,
  seqNo: 3,
  primaryTerm: 1,
});
const UNREAD: CurrentDocument = { state: 'unread', reason: '403' };
const MISSING: CurrentDocument = { state: 'missing' };

interface Case {
  readonly settings?: IndexSettings | undefined;
  readonly current?: CurrentDocument;
  readonly policy?: FailurePolicy;
  readonly clientVectors?: ClientVectors;
}

async function updated(
  body: string,
  { settings = SETTINGS, current, policy = 'reject', clientVectors = 'replace' }: Case = {},
): Promise<Pick<VectorizedUpdate, 'outcome' | 'from'> & { readonly body: string }> {
  const forWrite = (): Promise<IndexSettings> => Promise.resolve(settings);
  const reader = { forSearch: () => Promise.reject(new Error('not asked for in ingest')), forWrite };
  const update = createUpdateVectorizer({ encoder, settings: reader }, policy, clientVectors);
  const done = await update(
    TARGET,
    Buffer.from(body),
    (target, fields) => {
      assert.deepEqual(target, TARGET);
      assert.deepEqual(fields, [...settings.textFields, 'vec']);
      assert.ok(current, 'the stored document is not needed');
      return Promise.resolve(current);
    },
    signal,
  );
  return { body: done.source.toString('utf8'), outcome: done.outcome, from: done.from };
}

describe('a partial document', () => {
  for (const [doc, fields, expected] of [
    ['{"n":1}', ['title'], 'no'],
    ['{}', ['title'], 'no'],
    ['{"title":null}', ['title'], 'all'],
    ['{"t\\u0069tle":"x"}', ['title'], 'all'],
    ['{"title.x":1,"xtitle":1}', ['title'], 'no'],
    ['{"title":"x"}', ['title', 'body'], 'some'],
    ['{"title":"x","body":1}', ['title', 'body'], 'all'],
    ['{"a.b":"x"}', ['a.b'], 'all'],
    ['{"a":{"b":"x"}}', ['a.b'], 'all'],
    ['{"a":{"c":"x"}}', ['a.b'], 'around'],
    ['{"a":{}}', ['a.b'], 'around'],
    ['{"a":[]}', ['a.b'], 'all'],
    ['{"a":null}', ['a.b'], 'all'],
    ['{"a":1}', ['a.b'], 'all'],
    ['{"a.b":{"c":1}}', ['a.b.c'], 'all'],
    ['{"a":{"b.c":1}}', ['a.b.c'], 'all'],
    ['{"a":{"b":{"d":1}}}', ['a.b.c'], 'around'],
    ['{"a":{"b":{"d":1}},"title":1}', ['a.b.c', 'title'], 'some'],
  ] as const)
    it(`${doc} bears on ${fields.join(' and ')}: ${expected}`, () => {
      assert.equal(touchOf(Buffer.from(doc), fields), expected);
    });
});

describe('the merged text', () => {
  /** As the engine does it (XContentHelper.update). */
  function engineMerge(
    source: Record<string, unknown>,
    doc: Record<string, unknown>,
  ): Record<string, unknown> {
    const isMap = (value: unknown): value is Record<string, unknown> =>
      typeof value === 'object' && value !== null && !Array.isArray(value);
    const result = { ...source };
    for (const [key, value] of Object.entries(doc)) {
      const old = result[key];
      result[key] = isMap(old) && isMap(value) ? engineMerge(old, value) : value;
    }
    return result;
  }

  it('is that of the document which the engine will store', () => {
    const keys = ['a', 'b', 'a.b', 'b.a', 'a.b.a', 'é', 'x'];
    const fieldSets = [['a'], ['a.b'], ['a.b.a', 'b'], ['a', 'a.b', 'é'], ['b.a', 'a.b.a', 'x']];
    let texts = 0;
    for (let seed = 1; seed <= 5000; seed++) {
      const random = createRandom(seed);
      const below = (n: number): number => Math.floor(random() * n);
      const value = (depth: number): unknown => {
        const kind = below(depth > 0 ? 8 : 4);
        if (kind === 0) return null;
        if (kind === 1) return below(100);
        if (kind < 4) return `text ${below(100)} "é\\`;
        if (kind < 7) return object(depth - 1);
        return Array.from({ length: below(3) }, () => value(depth - 1));
      };
      const object = (depth: number): Record<string, unknown> =>
        Object.fromEntries(Array.from({ length: below(4) }, () => [keys[below(keys.length)], value(depth)]));
      const source = object(3);
      const doc = object(3);
      const fields = fieldSets[below(fieldSets.length)] as string[];
      const space = below(2) * 2;
      const merged = mergeMembers(
        Buffer.from(JSON.stringify(source, null, space)),
        Buffer.from(` ${JSON.stringify(doc, null, space)}`),
        fields,
      );
      const expected = documentText(Buffer.from(JSON.stringify(engineMerge(source, doc))), 0, fields);
      assert.equal(documentText(merged, 0, fields), expected, `seed ${seed}`);
      JSON.parse(merged.toString('utf8'));
      // A doc that bears on no text leaves it.
      if (touchOf(Buffer.from(JSON.stringify(doc)), fields) === 'no')
        assert.equal(documentText(Buffer.from(JSON.stringify(source)), 0, fields), expected, `seed ${seed}`);
      if (expected !== undefined) texts++;
    }
    assert.ok(texts > 1000);
  });

  it('takes a long time for no document, however deep', () => {
    const deep = Buffer.from(`{"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`);
    assert.equal(documentText(mergeMembers(deep, deep, ['a.b']), 0, ['a.b']), undefined);
  });
});

describe('an update', () => {
  const fresh = stored(`{"title":"old",${vec('old')}}`);

  it('that bears on no text keeps its bytes, and the stored document is not read', async () => {
    for (const body of [
      ' { "doc" : { "n" : 1.0, "n2":9007199254740993 } , "detect_noop":false } ',
      '{"doc":{"n":1},"doc_as_upsert":true,"_source":true}',
      '{"doc":{}}',
    ])
      assert.deepEqual(await updated(body), { body, outcome: 'unchanged', from: undefined });
  });

  it('loses a vector that the client put in', async () => {
    assert.equal((await updated('{"doc":{"vec":"AAAA","n":1}}')).body, '{"doc":{"n":1}}');
    const same = await updated('{"doc":{"title":"old","vec":"AAAA"}}', { current: fresh });
    assert.equal(same.body, '{"doc":{"title":"old"}}');
    const other = await updated('{"doc":{"title":"new","vec":"AAAA"}}', { current: fresh });
    assert.equal(other.body, `{"doc":{${vec('new')},"title":"new"}}`);
  });

  it('keeps a vector that the client put in, where those are kept', async () => {
    const body = '{"doc":{"title":"new","vec":"AAAA"},"upsert":{"title":"up","vec":"AAAA"}}';
    const kept = await updated(body, { clientVectors: 'keep' });
    assert.deepEqual(kept, { body, outcome: 'kept', from: undefined });
    const none = await updated('{"doc":{"title":"new"}}', { clientVectors: 'keep', current: fresh });
    assert.equal(none.body, `{"doc":{${vec('new')},"title":"new"}}`);
  });

  it('by script is left alone, with a vector for what it would insert', async () => {
    const body = '{"script":{"source":"ctx._source.title = 1"}}';
    assert.deepEqual(await updated(body), { body, outcome: 'script', from: undefined });
    const upsert = '{"scripted_upsert":true,"script":"x","upsert":{"title":"one"}}';
    assert.deepEqual(await updated(upsert), {
      body: `{"scripted_upsert":true,"script":"x","upsert":{${vec('one')},"title":"one"}}`,
      outcome: 'vector',
      from: undefined,
    });
  });

  it('that sets the text which is there adds no vector', async () => {
    const body = '{"doc":{"title":"old","n":1}}';
    assert.deepEqual(await updated(body, { current: fresh }), { body, outcome: 'unchanged', from: 7 });
  });

  it('gets a vector where the stored one is missing, of another text or of another model', async () => {
    for (const current of [
      '{"title":"old"}',
      '{"title":"old","vec":null}',
      '{"title":"old","vec":"AAAA"}',
      '{"title":"old","vec":[1]}',
      `{"title":"old",${vec('older')}}`,
      `{"title":"old",${vec('old', { ...SETTINGS, fingerprint: 'fedcba9876543210' })}}`,
    ]) {
      const done = await updated('{"doc":{"title":"old"}}', { current: stored(current) });
      assert.deepEqual(done, { body: `{"doc":{${vec('old')},"title":"old"}}`, outcome: 'vector', from: 7 });
    }
  });

  it('that changes one of two texts gets the vector of both', async () => {
    const current = stored(`{"title":"t","body":"b",${vec('t b')}}`);
    const done = await updated('{"doc":{"body":"B"}}', { settings: TWO, current });
    assert.equal(done.body, `{"doc":{${vec('t B')},"body":"B"}}`);
    const gone = await updated('{"doc":{"body":null}}', { settings: TWO, current });
    assert.equal(gone.body, `{"doc":{${vec('t')},"body":null}}`);
  });

  it('that leaves no text takes the vector away, if there is one', async () => {
    for (const value of ['null', '""', '" "', '[]', '{"x":1}']) {
      const body = `{"doc":{"title":${value}}}`;
      const done = await updated(body, { current: fresh });
      assert.deepEqual(done, { body: `{"doc":{"vec":null,"title":${value}}}`, outcome: 'no_text', from: 7 });
      for (const bare of ['{"title":"x"}', '{"vec":null}'])
        assert.equal((await updated(body, { current: stored(bare) })).body, body);
    }
  });

  it('of what a text is in goes by what the engine makes of it', async () => {
    const settings = { ...SETTINGS, textFields: ['a.b'] };
    const body = '{"doc":{"a":{"c":1}}}';
    const kept = await updated(body, { settings, current: stored(`{"a":{"b":"x"},${vec('x')}}`) });
    assert.deepEqual(kept, { body, outcome: 'unchanged', from: 7 });
    const replaced = await updated(body, { settings, current: stored(`{"a":[{"b":"x"}],${vec('x')}}`) });
    assert.deepEqual(replaced, { body: '{"doc":{"vec":null,"a":{"c":1}}}', outcome: 'no_text', from: 7 });
  });

  describe('of a missing document', () => {
    it('is left alone', async () => {
      const body = '{"doc":{"title":"x"}}';
      assert.deepEqual(await updated(body, { current: MISSING }), { body, outcome: 'unchanged', from: 0 });
    });

    it('writes a whole one with doc_as_upsert', async () => {
      for (const truth of ['true', '"true"']) {
        const done = await updated(`{"doc":{"body":"x"},"doc_as_upsert":${truth}}`, {
          settings: TWO,
          current: MISSING,
        });
        assert.deepEqual(done, {
          body: `{"doc":{${vec('x')},"body":"x"},"doc_as_upsert":${truth}}`,
          outcome: 'vector',
          from: 0,
        });
      }
      const not = '{"doc":{"title":"x"},"doc_as_upsert":false}';
      assert.equal((await updated(not, { current: MISSING })).body, not);
    });

    it('writes its upsert with a vector of its own', async () => {
      const body = '{"upsert":{"title":"up"},"doc":{"title":"x"}}';
      const missing = await updated(body, { current: MISSING });
      assert.equal(missing.body, `{"upsert":{${vec('up')},"title":"up"},"doc":{"title":"x"}}`);
      const found = await updated(body, { current: fresh });
      assert.equal(found.body, `{"upsert":{${vec('up')},"title":"up"},"doc":{${vec('x')},"title":"x"}}`);
    });
  });

  describe('of a document that the caller may not read', () => {
    it('gets its vector where it says the whole text', async () => {
      const done = await updated('{"doc":{"title":"x"}}', { current: UNREAD });
      assert.deepEqual(done, {
        body: `{"doc":{${vec('x')},"title":"x"}}`,
        outcome: 'vector',
        from: undefined,
      });
      const none = await updated('{"doc":{"title":null}}', { current: UNREAD });
      assert.deepEqual([none.body, none.outcome], ['{"doc":{"vec":null,"title":null}}', 'no_text']);
    });

    it('takes the vector away where it says a part of it', async () => {
      const done = await updated('{"doc":{"title":"x"}}', { settings: TWO, current: UNREAD });
      assert.deepEqual([done.body, done.outcome], ['{"doc":{"vec":null,"title":"x"}}', 'unread']);
    });

    it('keeps the vector where it most likely bears on no text', async () => {
      const body = '{"doc":{"a":{"views":2}}}';
      const settings = { ...SETTINGS, textFields: ['a.b'] };
      const done = await updated(body, { settings, current: UNREAD });
      assert.deepEqual([done.body, done.outcome], [body, 'unchanged']);
    });
  });

  it('whose text cannot be encoded fails, or takes the vector away, as the policy says', async () => {
    const body = '{"doc":{"title":"fail"}}';
    await assert.rejects(
      updated(body, { current: fresh }),
      (error: unknown) => error instanceof TwinrankError && error.code === 'encode_failed',
    );
    const passed = await updated(body, { current: fresh, policy: 'pass' });
    assert.deepEqual([passed.body, passed.outcome], ['{"doc":{"vec":null,"title":"fail"}}', 'encode_failed']);
    const both = '{"doc":{"title":"fail 1"},"upsert":{"title":"fail 2"}}';
    await assert.rejects(updated(both, { current: fresh }), /Cannot encode/);
  });

  it('that is none stays as it is, for the engine to refuse', async () => {
    for (const body of ['', 'x', '[]', '{"doc":1}', '{"doc":{"title":"x"', '{"doc":null}', '{"upsert":[]}']) {
      const done = await updated(body, { current: fresh });
      assert.deepEqual([done.body, done.outcome], [body, 'unreadable']);
    }
  });
});
