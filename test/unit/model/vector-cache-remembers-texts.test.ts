import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EncodeOptions, Encoder } from '../../../src/model/encoder.js';
import type { TokenCounter } from '../../../src/model/token-counter.js';
import { createCachedCounter, createCachedEncoder } from '../../../src/model/vector-cache.js';

/** An encoder whose calls the test answers: a vector is the length of its text. */
class HeldEncoder implements Encoder {
  readonly dimensions = 1;
  readonly fingerprint = 'held';
  readonly calls: { texts: readonly string[]; options: EncodeOptions; answer: (error?: Error) => void }[] =
    [];

  encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array[]> {
    return new Promise((resolve, reject) => {
      const vectors = texts.map((text) => Float32Array.of(text.length));
      const answer = (error?: Error) => (error === undefined ? resolve(vectors) : reject(error));
      options.signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      this.calls.push({ texts, options, answer });
    });
  }
}

const QUERY = { kind: 'query' } as const;
const lengths = (vectors: Float32Array[]) => vectors.map((vector) => vector[0]);

describe('cached encoder', () => {
  it('asks for each text once and answers in input order', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 10 });
    const first = cached.encode(['aa', 'b', 'aa'], QUERY);
    held.calls[0]?.answer();
    assert.deepEqual(lengths(await first), [2, 1, 2]);
    assert.deepEqual(held.calls[0]?.texts, ['aa', 'b']);
    assert.deepEqual(lengths(await cached.encode(['b', 'aa'], QUERY)), [1, 2]);
    const mixed = cached.encode(['ccc', 'b'], QUERY);
    held.calls[1]?.answer();
    assert.deepEqual(lengths(await mixed), [3, 1]);
    assert.deepEqual(held.calls[1]?.texts, ['ccc']);
  });

  it('keeps queries and documents apart', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 10 });
    void cached.encode(['a'], QUERY);
    void cached.encode(['a'], { kind: 'document' });
    assert.deepEqual(
      held.calls.map((call) => call.options.kind),
      ['query', 'document'],
    );
  });

  it('forgets the texts that were not asked for longest', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 2 });
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) {
      const answer = cached.encode([text], QUERY);
      held.calls.at(-1)?.answer();
      await answer;
    }
    assert.deepEqual(
      held.calls.map((call) => call.texts[0]),
      ['a', 'b', 'c', 'b'],
    );
  });

  it('does not keep very long texts', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 2 });
    for (let round = 0; round < 2; round++) {
      const answer = cached.encode(['x'.repeat(5000)], QUERY);
      held.calls.at(-1)?.answer();
      await answer;
    }
    assert.equal(held.calls.length, 2);
  });

  it('shares one computation between callers at the same time', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 10 });
    const answers = [cached.encode(['a'], QUERY), cached.encode(['a', 'bb'], QUERY)];
    assert.deepEqual(
      held.calls.map((call) => call.texts),
      [['a'], ['bb']],
    );
    for (const call of held.calls) call.answer();
    assert.deepEqual((await Promise.all(answers)).map(lengths), [[1], [1, 2]]);
  });

  it('lets one caller leave without the other, and stops when both have left', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 10 });
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cached.encode(['a'], { ...QUERY, signal: one.signal });
    const second = cached.encode(['a'], { ...QUERY, signal: two.signal });
    one.abort();
    await assert.rejects(first, { code: 'cancelled' });
    assert.equal(held.calls[0]?.options.signal?.aborted, false);
    two.abort();
    await assert.rejects(second, { code: 'cancelled' });
    assert.equal(held.calls[0]?.options.signal?.aborted, true);
    const third = cached.encode(['a'], QUERY);
    held.calls[1]?.answer();
    assert.deepEqual(lengths(await third), [1]);
  });

  it('gives every caller the failure and asks again afterwards', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 10 });
    const answers = [cached.encode(['a'], QUERY), cached.encode(['a'], QUERY)];
    held.calls[0]?.answer(new Error('no luck'));
    for (const answer of answers) await assert.rejects(answer, /no luck/);
    void cached.encode(['a'], QUERY);
    assert.equal(held.calls.length, 2);
  });

  it('refuses a caller who has left already, and is the encoder itself with nothing to keep', async () => {
    const held = new HeldEncoder();
    const cached = createCachedEncoder(held, { maxTexts: 1 });
    await assert.rejects(cached.encode(['a'], { ...QUERY, signal: AbortSignal.abort() }), {
      code: 'cancelled',
    });
    assert.equal(held.calls.length, 0);
    assert.equal(createCachedEncoder(held, { maxTexts: 0 }), held);
  });
});

describe('cached counter', () => {
  it('counts each text of a kind once and answers in input order', async () => {
    const asked: string[][] = [];
    const counter: TokenCounter = {
      count: (texts, { kind }) => {
        asked.push(texts.map((text) => `${kind} ${text}`));
        return Promise.resolve(texts.map((text) => text.length + (kind === 'query' ? 100 : 0)));
      },
    };
    const cached = createCachedCounter(counter, { maxTexts: 10 });
    assert.deepEqual(await cached.count(['aa', 'b', 'aa'], QUERY), [102, 101, 102]);
    assert.deepEqual(await cached.count(['ccc', 'aa'], QUERY), [103, 102]);
    assert.deepEqual(await cached.count(['aa'], { kind: 'document' }), [2]);
    assert.deepEqual(await cached.count(['aa', 'b'], QUERY), [102, 101]);
    assert.deepEqual(asked, [['query aa', 'query b'], ['query ccc'], ['document aa']]);
  });
});
