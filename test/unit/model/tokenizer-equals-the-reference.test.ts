import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCharMap } from '../../../src/model/char-map.js';
import { createTokenizer } from '../../../src/model/tokenizer.js';
import { assertIds, bundleJson, goldenIds } from './fixtures.js';

const json = bundleJson('tokenizer.json');
const charMap = parseCharMap(bundleJson('char-map.json'));
const tokenizer = createTokenizer(json, { maxTokens: 256, charMap });

describe('tokenizer', () => {
  it('gives the reference ids for every golden text', () => {
    const golden = goldenIds();
    assert.ok(golden.length >= 2000, `only ${golden.length} golden texts`);
    assertIds(tokenizer, golden);
  });

  it('keeps the end token when it cuts, at any limit', () => {
    const whole = tokenizer.encode('The ferry leaves the old harbour at nine and calls at four islands.');
    for (const maxTokens of [3, 4, 7, whole.length - 1, whole.length]) {
      const short = createTokenizer(json, { maxTokens, charMap });
      const ids = short.encode('The ferry leaves the old harbour at nine and calls at four islands.');
      assert.deepEqual(ids, [...whole.slice(0, maxTokens - 1), whole.at(-1)]);
    }
  });

  it('takes lone surrogates as unknown characters', () => {
    assert.deepEqual(tokenizer.encode('a \ud800 b'), tokenizer.encode('a \u{1f9ff}\u{e000} b'));
    assert.equal(tokenizer.encode('\udc00'.repeat(9000)).length, 4);
  });

  it('gives the same ids wherever a long text happens to be looked at piecewise', () => {
    const clause = '护照到期后如何换新护照需要哪些材料';
    const ids = tokenizer.encode(clause.repeat(20));
    for (const copies of [70, 241, 1000, 6000])
      assert.deepEqual(tokenizer.encode(clause.repeat(copies)), ids);
  });

  it('ends on what has no tokens, however long', () => {
    const spaces = tokenizer.encode(' ');
    assert.deepEqual(tokenizer.encode(' '.repeat(3_000_000)), spaces);
    assert.deepEqual(tokenizer.encode(`${'\u{1f9ff}'.repeat(60_000)}a`), tokenizer.encode('\u{1f9ff}a'));
  });

  it('refuses a file it could not reproduce', () => {
    const file = json as Record<string, Record<string, unknown>>;
    const cases: [Record<string, unknown>, RegExp][] = [
      [{ model: { type: 'WordLevel' } }, /Unigram/],
      [{ model: { type: 'BPE' } }, /ByteLevel for BPE/],
      [{ model: { type: 'WordPiece' } }, /WhitespaceSplit for WordPiece/],
      [{ pre_tokenizer: { type: 'ByteLevel' } }, /Metaspace/],
      [{ normalizer: { type: 'NFKC' } }, /char_map/],
      [{ model: { type: 'Unigram', unk_id: 0, vocab: [['a\u2581b', -1]] } }, /start of a word/],
    ];
    for (const [change, message] of cases) {
      assert.throws(() => createTokenizer({ ...file, ...change }, { maxTokens: 8 }), message);
    }
  });
});

describe('character map', () => {
  it('replaces characters first and joins spaces afterwards', () => {
    const map = parseCharMap({ map: { '65281': '!', '9': ' ', '7': '' }, collapse_spaces: true });
    assert.equal(map('a\t \tb\u0007c！ \u{1f600}'), 'a bc! \u{1f600}');
    const loose = parseCharMap({ map: { '9': ' ' }, collapse_spaces: false });
    assert.equal(loose('a\t\tb'), 'a  b');
  });

  it('composes first and trims last when told to, and replaces ranges', () => {
    const map = { '233': 'E', '9': ' ' };
    const ranges = [
      [0xe000, 0xf8ff, ''],
      [0x20000, 0x2a6df, ' x '],
    ];
    const all = parseCharMap({ map, ranges, collapse_spaces: true, compose: true, trim: true });
    assert.equal(
      all('\tcafe\u0301 \ue000\uf8ff\u{20000}\u{2a6df}\u{2a6e0}\uf900 '),
      'cafE x x \u{2a6e0}\u8c48',
    );
    const plain = parseCharMap({ map, collapse_spaces: false });
    assert.equal(plain(' e\u0301 '), ' e\u0301 ');
  });

  it('says what is wrong with a file', () => {
    for (const ranges of [
      {},
      [1],
      [[1, 2]],
      [[2, 1, '']],
      [
        [5, 9, ''],
        [9, 12, ''],
      ],
      [[0, 0x110000, '']],
    ]) {
      assert.throws(() => parseCharMap({ map: {}, collapse_spaces: true, ranges }), /"ranges" must be/);
    }
    assert.throws(() => parseCharMap({ map: {}, collapse_spaces: true, trim: 1 }), /"trim" must be true/);
    assert.throws(() => parseCharMap({ map: {} }), /collapse_spaces/);
    assert.throws(
      () => parseCharMap({ map: { x: '' }, collapse_spaces: true }),
      /"x" is no decimal code point/,
    );
    assert.throws(() => parseCharMap({ map: { 7: 7 }, collapse_spaces: true }), /replacement of 7/);
    assert.throws(() => parseCharMap(null), /"map"/);
  });
});
