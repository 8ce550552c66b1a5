/** The vector in a source: put in at the front, replacing what is there, and cut out again without a trace. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noVectorMembers, textOfSource, withVector } from '../../../src/ingest/document-vector.js';
import { vectorState } from '../../../src/ingest/vector-state.js';
import { createVectorizer } from '../../../src/ingest/vectorizer.js';
import { TwinrankError } from '../../../src/errors.js';
import { vectorCuts } from '../../../src/rerank/hit-vector.js';
import { scanResponse } from '../../../src/rerank/search-response.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import { applyEdits, cut } from '../../../src/search-engine/splice.js';
import { decodePayload, hashText } from '../../../src/search-engine/vector-payload.js';
import { randomJson } from '../search-engine/random-json.js';
import { encoderThat, SETTINGS, settingsReader, vectorOf } from './fixtures.js';

const put = (source: string, text = 'a title'): string =>
  withVector(Buffer.from(source), SETTINGS, { text, vector: vectorOf(text) }).toString('utf8');

/** The source as the proxy's caller gets it. */
function shown(source: string): string {
  const answer = Buffer.from(`{"hits":{"hits":[{"_index":"i","_source":${source}}]}}`);
  const [hit] = scanResponse(answer).hits;
  assert.ok(hit?.source);
  const cuts = vectorCuts(answer, hit, { inSource: ['vec', 'knn'], inFields: [] });
  const text = applyEdits(answer, cuts.map(cut)).toString('utf8');
  return text.slice(text.indexOf('_source') + 9, -4);
}

describe('a vector in a source', () => {
  it('is cut out without a trace, whatever the source looks like', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const source = randomJson(seed).object(3, 'vec');
      assert.equal(shown(put(source)), source, `seed ${seed}`);
    }
  });

  it('is the one of its text', () => {
    const stored = (JSON.parse(put('{"title":"a title"}')) as { vec: string }).vec;
    const payload = decodePayload(stored, SETTINGS);
    assert.ok(typeof payload !== 'string');
    assert.deepEqual([...payload.vector], [...vectorOf('a title')]);
    assert.equal(payload.textHash, hashText('a title'));
  });

  it('takes the place of what the client wrote there', () => {
    const vector = put('{}').slice(1, -1);
    for (const [source, rest] of [
      ['{"vec":1}', ''],
      ['{"vec":[1,2],"a":1}', ',"a":1'],
      ['{"a":1,"vec":{"x":1}}', ',"a":1'],
      ['{"a":1,"vec":1,"b":2}', ',"a":1,"b":2'],
      ['{"vec":1,"vec":2}', ''],
      ['{"vec":1,"a":1,"vec":2}', ',"a":1'],
      ['{"a":1,"vec":1,"vec":2}', ',"a":1'],
      ['{"v\\u0065c":1,"a":1,"vec":2,"vec":3}', ',"a":1'],
    ] as const)
      assert.equal(put(source), `{${vector}${rest}}`, source);
  });

  it('is taken out where there is no text for it', () => {
    for (const [source, expected] of [
      ['{"vec":1}', '{}'],
      ['{"a":1,"vec":"x","vec":"y"}', '{"a":1}'],
      ['{"a":1}', '{"a":1}'],
    ] as const)
      assert.equal(withVector(Buffer.from(source), SETTINGS).toString('utf8'), expected);
  });

  it('keeps whitespace and line ends around', () => {
    assert.match(put(' {"a":1} \r'), /^ \{"vec":"[\w+/=]+","a":1\} \r$/);
    assert.match(put('{ }'), /^\{"vec":"[\w+/=]+" \}$/);
  });

  it('needs a JSON object', () => {
    for (const source of ['', '[]', '1', '{"a":', '{"a"']) {
      assert.throws(() => put(source), { name: 'JsonScanError' });
      assert.throws(() => textOfSource(Buffer.from(source), SETTINGS), { name: 'JsonScanError' });
    }
  });
});

describe('a vector in the field of the engine itself', () => {
  const native = { field: 'knn', type: 'knn_vector', indexed: true, values: 'beside' } as const;
  const beside: IndexSettings = { ...SETTINGS, native };
  const instead: IndexSettings = { ...SETTINGS, native: { ...native, values: 'instead' } };
  const encoded = { text: 'a title', vector: Float32Array.of(0.1, -2) };
  const putInto = (settings: IndexSettings, source: string): string =>
    withVector(Buffer.from(source), settings, encoded).toString('utf8');

  it('stands after the binary one, which holds the header alone where it is the only one', () => {
    for (const [settings, bytes] of [
      [beside, 28],
      [instead, 20],
    ] as const) {
      const [, payload, rest] =
        /^\{"vec":"([^"]+)"(.*)$/.exec(putInto(settings, '{"title":"a title"}')) ?? [];
      assert.equal(Buffer.from(payload ?? '', 'base64').length, bytes);
      assert.equal(rest, ',"knn":[0.1,-2],"title":"a title"}');
    }
  });

  it('takes the place of what is there, and both are cut out without a trace', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const source = randomJson(seed).object(3, 'vec');
      assert.equal(shown(putInto(beside, source)), source, `seed ${seed}`);
    }
    const members = putInto(beside, '{}').slice(1, -1);
    assert.equal(putInto(beside, '{"knn":[1],"a":1,"vec":2,"knn":3}'), `{${members},"a":1}`);
    assert.equal(withVector(Buffer.from('{"knn":[1],"a":1}'), beside).toString(), '{"a":1}');
    assert.equal(noVectorMembers(beside), '"vec":null,"knn":null');
  });

  it('is fresh only where all is there, of this text, of this model, and stored as the index wants it', () => {
    const state = (source: string, settings: IndexSettings): string =>
      vectorState(Buffer.from(source), settings).vector;
    const source = '{"title":"a title"}';
    const plain = putInto(SETTINGS, source);
    const both = putInto(beside, source);
    const header = putInto(instead, source);
    for (const [settings, stored, expected] of [
      [SETTINGS, plain, 'fresh'],
      [SETTINGS, both, 'fresh'],
      [beside, both, 'fresh'],
      [instead, header, 'fresh'],
      [beside, plain, 'missing'],
      [instead, plain, 'other_storage'],
      [instead, both, 'other_storage'],
      [beside, header, 'other_storage'],
      [SETTINGS, header, 'other_storage'],
      [{ ...SETTINGS, codec: 'f16' }, plain, 'other_storage'],
      [SETTINGS, source, 'missing'],
      [SETTINGS, '{"title":"a title","vec":null}', 'missing'],
      [SETTINGS, '{"title":"a title","vec":"!"}', 'malformed'],
      [beside, both.replace('[0.1,-2]', 'null'), 'missing'],
      [SETTINGS, plain.replace('a title', 'another'), 'stale'],
      [SETTINGS, plain.replace('"a title"', 'null'), 'without_text'],
      [SETTINGS, '{"title":"","vec":null}', 'missing'],
      [{ ...SETTINGS, fingerprint: 'f'.repeat(16) }, plain, 'other_model'],
      [{ ...SETTINGS, dimensions: 3 }, plain, 'other_model'],
    ] as const)
      assert.equal(state(stored, settings), expected, stored);
  });
});

describe('the vectorizer', () => {
  const signal = new AbortController().signal;
  const encoder = encoderThat(() => Promise.resolve());
  const source = Buffer.from('{"title":"a title"}');

  it('says what became of each document', async () => {
    const vectorize = createVectorizer({ encoder, settings: settingsReader }, 'reject');
    for (const [index, text, outcome] of [
      ['i', '{"title":"x"}', 'vector'],
      ['i', '{"title":""}', 'no_text'],
      ['i', '{"title":', 'unreadable'],
      ['i', '{"\\xtitle":1,"title":"x"}', 'unreadable'],
      ['plain', '{"title":"x"}', 'not_configured'],
    ] as const)
      assert.equal((await vectorize(index, Buffer.from(text), signal)).outcome, outcome, text);
  });

  it('leaves documents of another model alone and says so', async () => {
    for (const change of [{ fingerprint: 'f'.repeat(16) }, { dimensions: 3 }]) {
      const problems: TwinrankError[] = [];
      const vectorize = createVectorizer(
        {
          encoder,
          settings: { ...settingsReader, forWrite: () => Promise.resolve({ ...SETTINGS, ...change }) },
          onProblem: (_outcome, error) => problems.push(error),
        },
        'reject',
      );
      const done = await vectorize('i', source, signal);
      assert.equal(done.outcome, 'other_model');
      assert.equal(done.source, source);
      assert.match(
        problems[0]?.message ?? '',
        /"i" is set up for model .*--model FOLDER.*mapping apply with --force, then twinrank reindex/,
      );
    }
  });

  it('lets documents through where the settings may not be read', async () => {
    const refusal = new TwinrankError('upstream_answer', 'x');
    assert.deepEqual(await withoutSettings(refusal, 'reject'), {
      source,
      outcome: 'settings_unavailable',
      problems: ['settings_unavailable'],
    });
  });

  it('rejects a document while the engine is too unwell to tell the settings, unless vectors may be missing', async () => {
    const outage = new TwinrankError('upstream_unreachable', 'x');
    await assert.rejects(withoutSettings(outage, 'reject'), outage);
    assert.equal((await withoutSettings(outage, 'pass')).outcome, 'settings_unavailable');
  });

  async function withoutSettings(error: TwinrankError, policy: 'reject' | 'pass') {
    const problems: string[] = [];
    const vectorize = createVectorizer(
      {
        encoder,
        settings: { ...settingsReader, forWrite: () => Promise.reject(error) },
        onProblem: (outcome) => problems.push(outcome),
      },
      policy,
    );
    return { ...(await vectorize('i', source, signal)), problems };
  }
});
