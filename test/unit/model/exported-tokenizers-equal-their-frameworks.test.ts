import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { IDENTITY_CHAR_MAP, parseCharMap } from '../../../src/model/char-map.js';
import { createTokenizer, type TextTokenizer } from '../../../src/model/tokenizer.js';
import { assertIds, goldenFile } from './fixtures.js';

/** Written by scripts/model/test_export.py --goldens: small vocabularies, ids by transformers. */
interface Exported {
  readonly name: string;
  readonly maxTokens: number;
  readonly tokenizer: unknown;
  readonly charMap: unknown;
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const exported = JSON.parse(
  gunzipSync(readFileSync(goldenFile('exported-tokenizers.json.gz'))).toString('utf8'),
) as readonly Exported[];

function tokenizerOf({ tokenizer, charMap, maxTokens }: Exported, limit = maxTokens): TextTokenizer {
  const map = charMap === null ? IDENTITY_CHAR_MAP : parseCharMap(charMap);
  return createTokenizer(tokenizer, { maxTokens: limit, charMap: map });
}

describe('exported tokenizers', () => {
  it('are of every kind', () => {
    const kinds = exported.map(({ tokenizer }) => (tokenizer as { model: { type: string } }).model.type);
    assert.deepEqual([...new Set(kinds)].sort(), ['BPE', 'Unigram', 'WordPiece']);
  });

  for (const one of exported) {
    describe(one.name, () => {
      const tokenizer = tokenizerOf(one);

      it("gives the framework's ids", () => {
        assert.ok(one.texts.length >= 30);
        assertIds(tokenizer, one.texts);
      });

      it('keeps the end token when it cuts, at any limit', () => {
        const { text } = one.texts[3] as { text: string };
        const whole = tokenizer.encode(text);
        assert.ok(whole.length > 4 && whole.length < one.maxTokens);
        for (let limit = 3; limit <= whole.length; limit++) {
          const ids = tokenizerOf(one, limit).encode(text);
          assert.deepEqual(ids, [...whole.slice(0, limit - 1), whole.at(-1)]);
        }
      });

      it('gives the same ids wherever a long text happens to be looked at piecewise', () => {
        for (const clause of [
          'The ferry calls at four islands. ',
          '护照到期后如何换新护照，需要哪些材料？',
        ]) {
          const ids = tokenizer.encode(clause.repeat(100));
          for (const copies of [131, 257, 3001]) {
            assert.deepEqual(tokenizer.encode(clause.repeat(copies)), ids);
          }
        }
      });

      it('ends on words without end and on spaces', () => {
        assert.ok(tokenizer.encode('a'.repeat(2_000_000)).length <= one.maxTokens);
        assert.ok(tokenizer.encode(' '.repeat(2_000_000)).length <= one.maxTokens);
      });
    });
  }
});
