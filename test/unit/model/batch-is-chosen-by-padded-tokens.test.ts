import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import { chooseBatch, estimateTokens } from '../../../src/model/batch.js';

const padded = (waiting: readonly number[], batch: readonly number[]) =>
  batch.length * Math.max(...batch.map((position) => waiting[position] ?? 0));

describe('choice of a batch', () => {
  it('takes nothing from nothing', () => {
    assert.deepEqual(chooseBatch([], { paddedTokens: 100, lookAhead: 10 }), []);
  });

  it('takes texts of like length and leaves the odd one', () => {
    assert.deepEqual(chooseBatch([10, 200, 11, 10, 9], { paddedTokens: 44, lookAhead: 10 }), [0, 2, 3, 4]);
  });

  it('takes a text above the budget alone', () => {
    assert.deepEqual(chooseBatch([300, 10, 10], { paddedTokens: 100, lookAhead: 10 }), [0]);
  });

  it('looks no further than it is told', () => {
    assert.deepEqual(chooseBatch([5, 5, 5, 5], { paddedTokens: 100, lookAhead: 2 }), [0, 1]);
  });

  it('always holds the oldest, keeps the budget and repeats nothing, whatever waits', () => {
    const random = createRandom(11);
    for (let round = 0; round < 2000; round++) {
      const waiting = Array.from(
        { length: 1 + Math.floor(random() * 40) },
        () => 1 + Math.floor(random() * 60),
      );
      const limits = {
        paddedTokens: 1 + Math.floor(random() * 400),
        lookAhead: 1 + Math.floor(random() * 50),
      };
      const batch = chooseBatch(waiting, limits);
      assert.equal(batch[0], 0);
      assert.deepEqual(
        batch,
        [...new Set(batch)].sort((a, b) => a - b),
      );
      assert.ok(batch.every((position) => position < Math.min(waiting.length, limits.lookAhead)));
      assert.ok(batch.length === 1 || padded(waiting, batch) <= limits.paddedTokens);
    }
  });

  it('does at least as much work as any other run of like lengths with the oldest', () => {
    const random = createRandom(13);
    for (let round = 0; round < 300; round++) {
      const waiting = Array.from(
        { length: 1 + Math.floor(random() * 12) },
        () => 1 + Math.floor(random() * 30),
      );
      const limits = { paddedTokens: 60, lookAhead: 12 };
      const work = (batch: readonly number[]) => batch.reduce((sum, i) => sum + (waiting[i] ?? 0), 0);
      const order = waiting.map((_, i) => i).sort((a, b) => (waiting[a] ?? 0) - (waiting[b] ?? 0) || a - b);
      const got = work(chooseBatch(waiting, limits));
      for (let first = 0; first <= order.indexOf(0); first++) {
        for (let last = order.indexOf(0); last < order.length; last++) {
          const run = order.slice(first, last + 1);
          if (padded(waiting, run) <= limits.paddedTokens) assert.ok(got >= work(run));
        }
      }
    }
  });

  it('serves every text in the end', () => {
    const random = createRandom(17);
    let waiting = Array.from({ length: 500 }, () => 1 + Math.floor(random() * 256));
    while (waiting.length > 0) {
      const batch = new Set(chooseBatch(waiting, { paddedTokens: 320, lookAhead: 64 }));
      assert.ok(batch.size > 0);
      waiting = waiting.filter((_, position) => !batch.has(position));
    }
  });
});

describe('estimate of tokens', () => {
  it('grows with the text, counts Chinese higher and ends at the limit', () => {
    assert.ok(estimateTokens('', 256) >= 3);
    assert.ok(estimateTokens('怎么办理护照换发', 256) > estimateTokens('passport', 256));
    assert.equal(estimateTokens('a'.repeat(5000), 256), 256);
  });
});
