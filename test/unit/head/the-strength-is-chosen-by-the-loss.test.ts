import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { strongestGood } from '../../../src/evaluate/head/choose-strength.js';
import { listLosses, listNdcgs } from '../../../src/evaluate/head/list-measures.js';
import { pairProblem } from '../../../src/evaluate/head/pair-problem.js';
import { trainHead } from '../../../src/evaluate/head/train-head.js';
import { mean } from '../../../src/evaluate/statistics.js';
import { l1, never, syntheticPairs } from './fixtures.js';

describe('choosing a strength', () => {
  it('takes the best where others are worse by more than chance', () => {
    assert.equal(
      strongestGood([
        [0.1, 0.2, 0.1, 0.2],
        [0.4, 0.5, 0.4, 0.5],
        [0.2, 0.3, 0.2, 0.3],
      ]),
      1,
    );
  });

  it('takes the strongest of those that chance may have put apart', () => {
    // The second is best on average, by one example alone.
    assert.equal(
      strongestGood([
        [0.5, 0.5, 0.5, 0.5],
        [0.5, 0.5, 0.5, 0.6],
        [0.2, 0.2, 0.2, 0.2],
      ]),
      0,
    );
  });
});

describe('the listwise loss', () => {
  const starts = [0, 3];

  it('is the cross-entropy of shares of gain and softmax', () => {
    // Gains 3, 1 and 0 of 4.
    const lists = { starts, grades: [2, 1, 0] };
    const [loss] = listLosses(lists, [Math.log(2), 0, Math.log(5)]);
    const expected = -(0.75 * Math.log(2 / 8) + 0.25 * Math.log(1 / 8));
    assert.ok(Math.abs((loss ?? 0) - expected) < 1e-6, `${loss} and ${expected}`);
  });

  it('leaves out what nobody judged', () => {
    const with100 = listLosses({ starts: [0, 4], grades: [2, 1, 0, -1] }, [1, 0, 0.5, 100]);
    assert.deepEqual(with100, listLosses({ starts, grades: [2, 1, 0] }, [1, 0, 0.5]));
  });

  it('tells scores apart that nDCG@10 does not', () => {
    const lists = { starts, grades: [1, 0, 0] };
    const [sure, unsure] = [
      [2, 0, 0],
      [0.1, 0, 0],
    ] as const;
    const judgedOnly = true;
    assert.deepEqual(listNdcgs(lists, sure, { judgedOnly }), listNdcgs(lists, unsure, { judgedOnly }));
    assert.ok(mean(listLosses(lists, sure)) < mean(listLosses(lists, unsure)));
  });
});

describe('the verdict', () => {
  const problem = pairProblem(
    syntheticPairs(2_000, 16, (u, v) => 6 - 3 * l1(u, v) + 8 * (u[2] as number)),
    { folds: 5, seed: 1 },
  );
  const options = { cores: 1, seed: 1, force: false, signal: never, tried: [0.01] };

  it('goes by the loss', async () => {
    const { report } = await trainHead(problem, options);
    assert.equal(report.decided_by, 'log loss');
    assert.equal(report.verdict, 'head');
  });

  it('is against a head that is clearly worse by another measure', async () => {
    const [loss] = problem.measures;
    assert.ok(loss !== undefined);
    const contrary = {
      name: 'the loss turned round',
      of: (scores: Float64Array) => loss.of(scores).map((value) => -value),
    };
    const { report } = await trainHead({ ...problem, measures: [loss, contrary] }, options);
    assert.equal(report.verdict, 'anchor');
  });
});
