import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areaDifference, heldOutHits, inOrder, weightedArea } from '../../../scripts/eval/pair-scores.js';

describe('accuracy with a held-out threshold', () => {
  const folds = { count: 2, of: [0, 0, 1, 1, 0, 0, 1, 1] };

  it('is whole where one threshold separates the labels in every fold', () => {
    const hits = heldOutHits([0.1, 0.9, 0.2, 0.8, 0.15, 0.85, 0.1, 0.95], [0, 1, 0, 1, 0, 1, 0, 1], folds);
    assert.deepEqual(hits, [1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('does not look at the fold that it is for', () => {
    // The second fold lies between the scores of the first, all on its own side of 0.5.
    const hits = heldOutHits([0.1, 0.9, 0.6, 0.7, 0.2, 0.8, 0.6, 0.7], [0, 1, 0, 1, 0, 1, 0, 1], folds);
    assert.deepEqual(hits.slice(2, 4), [0, 1]);
    assert.deepEqual(hits.slice(6), [0, 1]);
  });
});

describe('the area under the curve', () => {
  const labels = [0, 0, 1, 1];
  const ones = [1, 1, 1, 1];

  it('counts pairs in the right order, a tie half', () => {
    const scores = [0.1, 0.4, 0.4, 0.8];
    assert.equal(weightedArea(scores, labels, inOrder(scores), ones), 3.5 / 4);
  });

  it('counts a pair as often as its weight', () => {
    const scores = [0.1, 0.6, 0.4, 0.8];
    assert.equal(weightedArea(scores, labels, inOrder(scores), [1, 2, 1, 1]), (1 + 3) / 6);
  });

  it('has no difference between the same scores, and one with an interval between others', () => {
    const many = Array.from({ length: 200 }, (_, i) => i % 2);
    const good = many.map((label, i) => label + (i % 7) / 10);
    const bad = many.map((label, i) => label / 10 + (i % 7) / 10);
    assert.deepEqual(areaDifference(good, good, many), { mean: 0, interval: { low: 0, high: 0 } });
    const { mean, interval } = areaDifference(good, bad, many);
    assert.ok(interval.low > 0 && interval.low < mean && mean < interval.high, JSON.stringify(interval));
  });
});
