import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identify } from '../../../src/ingest/load/identify.js';

function identified(json: string, idField: string | null = null): { id: string | null; source: string } {
  const found = identify(Buffer.from(json), idField);
  if ('problem' in found) assert.fail(found.problem);
  return { id: found.id, source: found.source.toString() };
}

describe('the id of a document', () => {
  it('is cut out of the source at any place, every other byte stays', () => {
    const awkward = '"n": 9007199254740993, "x":1.0, "z":-0.0,  "a":1,"a":2, "s":"\\u00e9"';
    assert.deepEqual(identified(`{"_id":"7", ${awkward}}`), { id: '7', source: `{ ${awkward}}` });
    assert.deepEqual(identified(`{${awkward},"_id":"7"}`), { id: '7', source: `{${awkward}}` });
    assert.deepEqual(identified(`{"q":{"_id":1},"_id":"7","r":[]}`), {
      id: '7',
      source: '{"q":{"_id":1},"r":[]}',
    });
    assert.deepEqual(identified('{"_id":"7"}'), { id: '7', source: '{}' });
  });

  it('is found under an escaped key, and cut out where it is given twice', () => {
    assert.deepEqual(identified('{"\\u005fid":"7","a":1}'), { id: '7', source: '{"a":1}' });
    assert.deepEqual(identified('{"a":1,"_id":"7","_id":"8"}'), { id: '8', source: '{"a":1}' });
  });

  it('may be a number, which keeps its digits', () => {
    assert.deepEqual(identified('{"_id":9007199254740993,"a":1}').id, '9007199254740993');
  });

  it('falls back to the field id, which stays in the source', () => {
    assert.deepEqual(identified('{"id":12,"a":1}'), { id: '12', source: '{"id":12,"a":1}' });
    assert.deepEqual(identified('{"_id":null,"id":"k","a":1}'), { id: 'k', source: '{"id":"k","a":1}' });
  });

  it('is left to the engine where there is none', () => {
    assert.deepEqual(identified('{"a":1}'), { id: null, source: '{"a":1}' });
  });

  it('comes from the named field, which must be there', () => {
    assert.deepEqual(identified('{"isbn":"x","id":3}', 'isbn'), { id: 'x', source: '{"isbn":"x","id":3}' });
    assert.match(JSON.stringify(identify(Buffer.from('{"id":3}'), 'isbn')), /no isbn/);
  });

  it('is not taken from an object, a list or a truth value', () => {
    for (const value of ['{}', '[1]', 'true', '""']) {
      assert.match(
        JSON.stringify(identify(Buffer.from(`{"_id":${value}}`), null)),
        /neither a text nor a number/,
      );
    }
  });
});
