import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listFolds, pairFolds, type Folds } from '../../../src/evaluate/head/folds.js';
import { isTrained } from '../../../src/evaluate/head/training-rows.js';
import { createRandom } from '../../../src/evaluate/random.js';

function sharesNoText(
  left: readonly number[],
  right: readonly number[],
  { of, withheld, count }: Folds,
): void {
  for (let fold = 0; fold < count; fold++) {
    const held = new Set<number>();
    left.forEach((text, row) => {
      if (of[row] === fold) [text, right[row] as number].forEach((one) => held.add(one));
    });
    assert.ok(held.size > 0, `fold ${fold} holds something out`);
    left.forEach((text, row) => {
      if (!isTrained(withheld[row] as number, fold)) return;
      assert.ok(!held.has(text) && !held.has(right[row] as number), `row ${row} and fold ${fold}`);
    });
  }
}

describe('folds', () => {
  it('of pairs share no text, and lose no pair where texts are used little', () => {
    const left = Array.from({ length: 200 }, (_, i) => 3 * Math.floor(i / 2));
    const right = left.map((text, i) => text + 1 + (i % 2));
    const folds = pairFolds(left, right, 5, 1);
    sharesNoText(left, right, folds);
    for (const fold of [0, 1, 2, 3, 4]) {
      assert.equal(folds.of.filter((of) => of === fold).length, 40);
      assert.equal(folds.withheld.filter((bits) => isTrained(bits, fold)).length, 160);
    }
  });

  it('of pairs share no text where a few texts link nearly all', () => {
    const random = createRandom(2);
    const left = Array.from({ length: 600 }, () => Math.floor(random() * 300));
    const right = left.map(() => 300 + Math.floor(random() * 300));
    const folds = pairFolds(left, right, 4, 1);
    sharesNoText(left, right, folds);
    for (const fold of [0, 1, 2, 3]) {
      const size = folds.of.filter((of) => of === fold).length;
      assert.ok(size > 100 && size < 200, `${size}`);
      assert.ok(
        folds.withheld.some((bits) => isTrained(bits, fold)),
        'something is left to train on',
      );
    }
  });

  it('of queries hold a query out with all rows of all its lists', () => {
    const starts = [0, 3, 4, 9, 12, 13, 15];
    const queries = [0, 1, 2, 3, 0, 2];
    const { of } = listFolds(starts, queries, 2, 1);
    for (const query of new Set(queries)) {
      const rows = queries.flatMap((owner, list) =>
        owner === query ? [...of.subarray(starts[list], starts[list + 1])] : [],
      );
      assert.equal(new Set(rows).size, 1);
    }
    assert.equal(new Set(of).size, 2);
  });
});
