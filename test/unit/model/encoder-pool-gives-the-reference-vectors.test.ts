import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Bundle } from '../../../src/model/bundle.js';
import { loadBundle } from '../../../src/model/bundle.js';
import type { EncoderPool } from '../../../src/model/encoder-pool.js';
import { createEncoderPool } from '../../../src/model/encoder-pool.js';
import { BUNDLE_FOLDER, difference, goldenVectors } from './fixtures.js';

const ONE = { workers: 1, threadsPerWorker: 1 };
const NEIGHBOUR = 'a much longer neighbour that makes every other row of its batch be padded '.repeat(12);

describe('encoder pool', () => {
  let bundle: Bundle;
  let pool: EncoderPool;
  before(async () => {
    bundle = await loadBundle(BUNDLE_FOLDER);
    pool = await createEncoderPool(bundle, { ...ONE, batchTokensPerThread: 4000 });
  });
  after(() => pool.close());

  it('gives the vectors of the reference', async () => {
    const golden = goldenVectors();
    assert.equal(golden.fingerprint, bundle.fingerprint);
    const vectors = await pool.encode(
      golden.texts.map(({ text }) => text),
      { kind: 'document' },
    );
    for (const [index, { text, vector }] of golden.texts.entries()) {
      const off = difference(vectors[index] ?? [], vector);
      assert.ok(off <= 1e-4, `${JSON.stringify(text.slice(0, 40))} is off by ${off}`);
    }
  });

  it('gives unit vectors that own their memory', async () => {
    const [vector, other] = await pool.encode(['passport', '护照'], { kind: 'document' });
    assert.ok(vector !== undefined && other !== undefined);
    assert.ok(Math.abs(vector.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
    assert.equal(vector.buffer.byteLength, 4 * bundle.dimensions);
    assert.notEqual(vector.buffer, other.buffer);
  });

  it('gives a text the same vector alone, among others and beside long ones', async () => {
    const text = '无线耳机无法配对的解决方法';
    const encode = async (texts: string[]) => (await pool.encode(texts, { kind: 'document' }))[0] ?? [];
    const alone = await encode([text]);
    const before = pool.stats().batches;
    const companions = [
      ['short', 'other titles', 'of any kind'],
      [NEIGHBOUR],
      Array.from({ length: 9 }, (_, i) => `${NEIGHBOUR} ${i}`),
    ];
    for (const others of companions) assert.ok(difference(alone, await encode([text, ...others])) <= 1e-5);
    assert.equal(pool.stats().batches, before + companions.length, 'each was one batch');
  });

  it('takes any text: empty, lone surrogates, 100,000 characters', async () => {
    const texts = ['', '\ud800', '\udc00a', 'word '.repeat(20_000), '怎么办理护照'.repeat(20_000), '\u0000'];
    const vectors = await pool.encode(texts, { kind: 'query' });
    assert.equal(vectors.length, texts.length);
    for (const vector of vectors) assert.ok(vector.every((value) => Number.isFinite(value)));
  });

  it('is refused with golden vectors, ids or probabilities that do not come out', async () => {
    const { golden } = bundle;
    const [first] = golden.texts;
    const [pair] = golden.pairs;
    assert.ok(first !== undefined && pair !== undefined);
    const vector = first.vector.map((value, i) => (i === 3 ? value + 2e-4 : value));
    const cases: [Bundle['golden'], RegExp][] = [
      [{ ...golden, texts: [{ ...first, vector }] }, /vector of golden text .* differs by 2\.0e-4/],
      [{ ...golden, texts: [{ ...first, ids: first.ids.slice(1) }] }, /other token ids/],
      [
        { ...golden, pairs: [{ ...pair, probability: pair.probability - 0.01 }] },
        /golden pair .* probability/,
      ],
    ];
    for (const [changed, message] of cases) {
      const start = createEncoderPool({ ...bundle, golden: changed }, ONE);
      await assert.rejects(start, (error: Error & { code: string }) => {
        assert.equal(error.code, 'bad_bundle');
        assert.ok(error.message.includes(bundle.folder));
        assert.match(error.message, message);
        return true;
      });
    }
  });

  it('is refused when the encoder is not what the manifest says', async () => {
    const { manifest, paths } = bundle;
    const cases: [Partial<Bundle>, RegExp][] = [
      [{ manifest: { ...manifest, output: 'vector' } }, /no output "vector"; it has .*sentence_embedding/],
      [{ manifest: { ...manifest, dimensions: 128 } }, /gives 384 dimensions, the manifest says 128/],
      [{ paths: { ...paths, encoder: paths.tokenizer } }, /the encoder \(tokenizer\.json\) cannot be used/],
      [
        { paths: { ...paths, tokenizer: `${BUNDLE_FOLDER}/head.json` } },
        /the tokenizer \(head\.json\) cannot be used: "model"/,
      ],
    ];
    for (const [change, message] of cases) {
      await assert.rejects(createEncoderPool({ ...bundle, ...change }, ONE), { code: 'bad_bundle', message });
    }
  });

  it('can be cancelled while it starts', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(createEncoderPool(bundle, { ...ONE, signal }), { code: 'cancelled' });
    const soon = new AbortController();
    const start = createEncoderPool(bundle, { ...ONE, signal: soon.signal });
    soon.abort();
    await assert.rejects(start, { code: 'cancelled' });
  });
});
