import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_METRICS,
  averagePrecision,
  judgedShare,
  metricNamed,
  metricsAt,
  ndcg,
  precision,
  recall,
  reciprocalRank,
} from '../../../src/evaluate/metrics.js';
import { createRandom, shuffled } from '../../../src/evaluate/random.js';

const judgments = new Map([
  ['a', 2],
  ['b', 1],
  ['c', 0],
]);

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
}

describe('measures', () => {
  it('nDCG: gain 2^g - 1, discount log2(rank + 1), ideal over all judged', () => {
    // (1/1 + 0 + 3/2) / (3/1 + 1/log2(3))
    near(ndcg(['b', 'x', 'a'], judgments, 10), 2.5 / (3 + 1 / Math.log2(3)));
    near(ndcg(['a', 'b', 'c'], judgments, 10), 1);
    near(ndcg(['x', 'c'], judgments, 10), 0);
    near(ndcg([], judgments, 10), 0);
  });

  it('nDCG is cut at k on both sides', () => {
    near(ndcg(['b', 'a'], judgments, 1), 1 / 3);
    near(ndcg(['a'], judgments, 1), 1);
  });

  it('nDCG without a relevant document is 0', () => {
    near(ndcg(['c'], new Map([['c', 0]]), 10), 0);
  });

  it('MRR looks for the first relevant one within k', () => {
    near(reciprocalRank(['x', 'c', 'b', 'a'], judgments, 10), 1 / 3);
    near(reciprocalRank(['x', 'c', 'b', 'a'], judgments, 2), 0);
  });

  it('recall is the share of all relevant ones', () => {
    near(recall(['b', 'x'], judgments, 100), 0.5);
    near(recall(['x', 'b'], judgments, 1), 0);
    near(recall(['a', 'b'], judgments, 100), 1);
  });

  it('judged-only nDCG takes unjudged hits out', () => {
    // b, c, a: (1 + 0 + 3/2) / ideal
    const metric = metricNamed('judged-only nDCG@10');
    near(metric.of(['x', 'b', 'y', 'c', 'z', 'a'], judgments), 2.5 / (3 + 1 / Math.log2(3)));
    near(metricNamed('judged-only MRR@1').of(['x', 'b'], judgments), 1);
  });

  it('average precision divides by all relevant ones, found or not', () => {
    // Relevant at ranks 2 and 5: (1/2 + 2/5) / 2
    near(averagePrecision(['x', 'a', 'c', 'y', 'b'], judgments, 100), (1 / 2 + 2 / 5) / 2);
    near(averagePrecision(['x', 'a', 'c', 'y', 'b'], judgments, 4), 1 / 2 / 2);
    near(averagePrecision(['a'], judgments, 100), 1 / 2);
    near(averagePrecision(['c'], new Map([['c', 0]]), 100), 0);
  });

  it('precision counts empty places', () => {
    near(precision(['a', 'x', 'b'], judgments, 2), 1 / 2);
    near(precision(['a'], judgments, 10), 1 / 10);
  });

  it('are found by name, whatever the case, and all are there at each cut-off', () => {
    assert.equal(metricNamed('ndcg@5').name, 'nDCG@5');
    assert.equal(metricNamed(' judged-only map@100 ').name, 'judged-only MAP@100');
    const names = metricsAt([5, 100]).map(({ name }) => name);
    assert.equal(names.length, 22);
    assert.ok(names.includes('judged-only P@5') && names.includes('judged@100'));
    for (const wrong of ['nDCG', 'nDCG@0', 'F1@10', 'judged-only judged@10', 'MRR@-1', ''])
      assert.throws(() => metricNamed(wrong), /is no metric; there are nDCG, MRR, MAP, Recall, P and judged/);
  });

  it('judged@k counts within what was returned', () => {
    near(judgedShare(['a', 'x', 'c', 'y'], judgments, 10), 0.5);
    near(judgedShare(['x', 'a'], judgments, 1), 0);
    near(judgedShare([], judgments, 10), 0);
  });

  it('stay within 0 and 1 and do not depend on what lies below an equal top', () => {
    const random = createRandom(7);
    for (let turn = 0; turn < 300; turn++) {
      const ids = Array.from({ length: 60 }, (_, i) => `d${i}`);
      const grades = new Map(
        ids.filter(() => random() < 0.5).map((id) => [id, Math.floor(random() * 4)] as const),
      );
      const ranking = shuffled(ids, random);
      for (const { name, of } of [...DEFAULT_METRICS, ...metricsAt([1, 7])]) {
        const value = of(ranking, grades);
        assert.ok(value >= 0 && value <= 1 + 1e-12, `${name} is ${value}`);
      }
      const ideal = [...ids].sort((x, y) => (grades.get(y) ?? 0) - (grades.get(x) ?? 0));
      assert.ok(ndcg(ideal, grades, 10) >= ndcg(ranking, grades, 10));
      near(
        ndcg([...ranking.slice(0, 10), ...shuffled(ranking.slice(10), random)], grades, 10),
        ndcg(ranking, grades, 10),
      );
      near(recall(shuffled(ranking, random), grades, 60), recall(ranking, grades, 60));
    }
  });
});
