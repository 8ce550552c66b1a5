import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withVector } from '../../../src/ingest/document-vector.js';
import { judge } from '../../../src/ingest/reindex/judge.js';
import { JsonScanError } from '../../../src/search-engine/json-scan.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import { SETTINGS, vectorOf } from '../ingest/fixtures.js';

/** A source with the vector that the given settings make of the given text. */
function stored(source: string, text: string, settings: IndexSettings = SETTINGS): Buffer {
  return withVector(Buffer.from(source), settings, { text, vector: vectorOf(text) });
}

describe('what a document needs', () => {
  it('nothing where its vector is of its text, its model and its codec', () => {
    assert.equal(judge(stored('{"title":"a"}', 'a'), SETTINGS), 'fresh');
    assert.equal(judge(stored('{"a":1,\n"title":["x",2]}', 'x 2'), SETTINGS), 'fresh');
  });

  it('nothing where it has neither text nor vector', () => {
    for (const source of ['{}', '{"title":null}', '{"title":"  "}', '{"title":"","vec":null}'])
      assert.equal(judge(Buffer.from(source), SETTINGS), 'no_text');
  });

  it('a vector, for a reason that is named', () => {
    const why = (source: Buffer | string): unknown => {
      const judged = judge(Buffer.from(source), SETTINGS);
      return typeof judged === 'object' && judged.work === 'encode' ? [judged.text, judged.why] : judged;
    };
    assert.deepEqual(why('{"title":"a"}'), ['a', 'missing']);
    assert.deepEqual(why('{"title":"a","vec":null}'), ['a', 'missing']);
    assert.deepEqual(why(stored('{"title":"b"}', 'a')), ['b', 'stale']);
    const other = { ...SETTINGS, fingerprint: 'ffffffffffffffff' };
    assert.deepEqual(why(stored('{"title":"a"}', 'a', other)), ['a', 'other_model']);
    assert.deepEqual(why(stored('{"title":"a"}', 'a', { ...SETTINGS, codec: 'f16' })), [
      'a',
      'other_storage',
    ]);
    for (const vector of ['"AAAA"', '"no base64 \\u00e9"', '[1,2]', '{"a":1}', 'true'])
      assert.deepEqual(why(`{"title":"a","vec":${vector}}`), ['a', 'malformed']);
  });

  it('a vector anew where all are wanted', () => {
    assert.deepEqual(judge(stored('{"title":"a"}', 'a'), SETTINGS, true), {
      work: 'encode',
      text: 'a',
      why: 'all',
    });
    assert.equal(judge(Buffer.from('{}'), SETTINGS, true), 'no_text');
  });

  it('its vector taken away where its text is gone', () => {
    assert.deepEqual(judge(stored('{"n":1}', 'a'), SETTINGS), { work: 'remove' });
  });

  it('is not guessed of what is no JSON', () => {
    for (const source of ['', '[]', '{"title":"a"', '{"title":"a"} x', '{"a":1 # c\n}'])
      assert.throws(() => judge(Buffer.from(source), SETTINGS), JsonScanError);
  });
});
