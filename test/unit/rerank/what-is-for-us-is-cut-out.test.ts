/** Parts of a search body that speak to twinrank: read, cut out, and nothing else touched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { takeExtension } from '../../../src/rerank/extension.js';
import { bodyKnobs, headerKnobs } from '../../../src/rerank/knobs.js';
import { queryContextText } from '../../../src/rerank/query-context.js';

const take = (body: string): { body: string; twinrank: unknown; rerank: unknown } => {
  const taken = takeExtension(Buffer.from(body));
  return { ...taken, body: taken.body.toString() };
};
const refused = (message: RegExp) => (error: unknown) =>
  error instanceof TwinrankError && error.code === 'bad_request' && message.test(error.message);
const LIMITS = { maxWindow: 1000 };

describe('the body', () => {
  for (const [name, body, rest] of [
    ['ext alone', '{"ext":{"twinrank":{"window":5}}}', '{}'],
    ['ext first', '{"ext":{"twinrank":{"window":5}}, "n": 1.0}', '{ "n": 1.0}'],
    ['ext last', '{"n": 1.0 , "ext" : { "twinrank" : {"window":5} } }', '{"n": 1.0  }'],
    ['with a neighbour before', '{"ext":{"other":1.0,"twinrank":{"window":5}}}', '{"ext":{"other":1.0}}'],
    ['with a neighbour after', '{"ext":{"twinrank":{"window":5} , "other":1.0}}', '{"ext":{ "other":1.0}}'],
    ['both of ours', '{"ext":{"twinrank":{"window":5},"rerank":{"q":1}},"n":1}', '{"n":1}'],
    [
      'both of ours and others between',
      '{"ext":{"a":1,"rerank":{"q":1},"b":2,"twinrank":{"window":5},"c":3}}',
      '{"ext":{"a":1,"b":2,"c":3}}',
    ],
  ] as const) {
    it(`loses our part and keeps the rest: ${name}`, () => {
      const taken = take(body);
      assert.equal(taken.body, rest);
      assert.deepEqual(taken.twinrank, { window: 5 });
      assert.equal(taken.rerank === undefined, !body.includes('rerank"'));
    });
  }

  it('may repeat our part thousands of times', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `"twinrank":{"window":${i + 1}}`).join(',');
    const taken = take(`{"ext":{${many},"x":1.0},"n":1}`);
    assert.equal(taken.body, '{"ext":{"x":1.0},"n":1}');
    assert.deepEqual(taken.twinrank, { window: 20_000 });
  });

  it('without a part of ours is the same buffer', () => {
    for (const body of [
      '{}',
      '{"ext":{"other":1}}',
      '{"a":"ext"}',
      '{"query":{"ext":{"twinrank":1}}}',
      '{"ext":"twinrank"}',
    ]) {
      const bytes = Buffer.from(body);
      assert.equal(takeExtension(bytes).body, bytes);
    }
  });
});

describe('knobs', () => {
  it('are read from the header with spaces, words and values', () => {
    assert.deepEqual(headerKnobs(' window = 50 ;blend=0.25; scores;; explain ', LIMITS), {
      window: 50,
      blend: 0.25,
      scores: true,
      explain: true,
    });
    assert.deepEqual(headerKnobs('blend=auto', LIMITS), { blend: 'auto' });
    assert.deepEqual(bodyKnobs({ blend: 'auto' }, LIMITS), { blend: 'auto' });
    assert.throws(() => headerKnobs('window=auto', LIMITS), refused(/whole number/));
    assert.deepEqual(headerKnobs('off', LIMITS), { enabled: false });
    assert.deepEqual(headerKnobs('enabled=true', LIMITS), { enabled: true });
    assert.deepEqual(headerKnobs(undefined, LIMITS), {});
  });

  it('cannot be reached through the prototype', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.throws(() => headerKnobs(name, LIMITS), refused(/unknown/));
      assert.throws(() => headerKnobs(`${name}=1`, LIMITS), refused(/unknown/));
      assert.throws(() => bodyKnobs(JSON.parse(`{"${name}":{"window":1}}`), LIMITS), refused(/unknown/));
    }
    assert.equal(({} as { window?: number }).window, undefined);
  });

  it('out of bounds are named, a long value cut short', () => {
    assert.throws(
      () => bodyKnobs({ window: 1.5 }, LIMITS),
      refused(/window in ext\.twinrank must be a whole number from 1 to 1000, it is 1\.5/),
    );
    assert.throws(
      () => bodyKnobs({ blend: 'x'.repeat(10_000) }, LIMITS),
      (error: unknown) => error instanceof TwinrankError && error.message.length < 300,
    );
    for (const window of [0, -1, 1001, '', null, true, [], Number.NaN])
      assert.throws(() => bodyKnobs({ window }, LIMITS), refused(/window/));
  });
});

describe('query_text_path', () => {
  const body = { query: { bool: { must: [{ match: { 'title.en': { query: 'found' } } }] } } };
  const at = (path: unknown): string | undefined =>
    queryContextText({ query_context: { query_text_path: path } }, body);

  it('steps into objects, lists and field names with dots', () => {
    assert.equal(at('query.bool.must.0.match.title.en.query'), 'found');
  });

  it('that leads nowhere is refused', () => {
    for (const path of [
      'query',
      'query.bool.must.1',
      'query.bool.must.x',
      '__proto__',
      'query.constructor.name',
      '',
      5,
    ]) {
      assert.throws(() => at(path), refused(/leads to no text/));
    }
  });
});
