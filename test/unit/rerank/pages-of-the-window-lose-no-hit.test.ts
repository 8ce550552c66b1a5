/** Window algebra: the pages of a search, put together, show the reranked head and then the engine's tail. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import { orderByScore } from '../../../src/model/blend.js';
import { pagePositions, planWindow } from '../../../src/rerank/window.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('the window', () => {
  it('pages of every size put together are the reranked head and the engine’s tail', () => {
    const random = createRandom(11);
    const below = (n: number): number => Math.floor(random() * n);
    for (let round = 0; round < 3000; round++) {
      const matching = below(60);
      const window = 1 + below(40);
      const maxResultWindow = 20 + below(60);
      const scores = range(window).map(() => (random() < 0.2 ? undefined : below(5)));
      const held = Math.min(window, maxResultWindow);
      const head = orderByScore(scores.slice(0, Math.min(held, matching)));
      const expected = [...head, ...range(matching).slice(head.length)];
      const seen: number[] = [];
      let from = 0;
      while (from < maxResultWindow) {
        const size = Math.min(1 + below(12), maxResultWindow - from);
        const plan = planWindow({ from, size }, window, maxResultWindow);
        if (plan === 'beyond_window') seen.push(...range(matching).slice(from, from + size));
        else {
          assert.ok(typeof plan !== 'string', String(plan));
          assert.equal(plan.window, held);
          assert.ok(plan.fetch >= from + size && plan.fetch <= maxResultWindow);
          const returned = Math.min(plan.fetch, matching);
          const order = orderByScore(scores.slice(0, Math.min(plan.window, returned)));
          seen.push(...pagePositions(order, returned, plan));
        }
        from += size;
      }
      assert.deepEqual(seen, expected.slice(0, maxResultWindow));
      assert.equal(new Set(seen).size, seen.length);
    }
  });

  it('is left alone where there is no page of it', () => {
    assert.equal(planWindow({ from: 0, size: 0 }, 100, 10_000), 'size_zero');
    assert.equal(planWindow({ from: 100, size: 10 }, 100, 10_000), 'beyond_window');
    assert.equal(planWindow({ from: 50, size: 60 }, 100, 100), 'max_result_window');
    assert.deepEqual(planWindow({ from: 99, size: 10 }, 100, 10_000), {
      from: 99,
      size: 10,
      window: 100,
      fetch: 109,
    });
    assert.deepEqual(planWindow({ from: 0, size: 10 }, 100, 50), {
      from: 0,
      size: 10,
      window: 50,
      fetch: 50,
    });
  });
});

describe('the order of the head', () => {
  it('keeps ties in the engine’s order and unscored hits after the scored', () => {
    assert.deepEqual(orderByScore([1, undefined, 3, 1, undefined, 3]), [2, 5, 0, 3, 1, 4]);
    assert.deepEqual(orderByScore([-5, undefined, -7]), [0, 2, 1]);
    assert.deepEqual(orderByScore([undefined, undefined]), [0, 1]);
    assert.deepEqual(orderByScore([]), []);
  });

  it('is a permutation in descending order for any scores', () => {
    const random = createRandom(12);
    for (let round = 0; round < 500; round++) {
      const scores = range(Math.floor(random() * 50)).map(() =>
        random() < 0.3 ? undefined : random() - 0.5,
      );
      const order = orderByScore(scores);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        range(scores.length),
      );
      const values = order.map((position) => scores[position] ?? -Infinity);
      assert.deepEqual(
        values,
        [...values].sort((a, b) => b - a),
      );
    }
  });
});
