import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calibrationFigures, logisticOf, plattOf } from '../../../src/evaluate/head/calibration.js';
import { strongestGood } from '../../../src/evaluate/head/choose-strength.js';
import { listNdcgs, gainShares } from '../../../src/evaluate/head/list-measures.js';
import { areaUnderCurve } from '../../../src/evaluate/head/pair-measures.js';
import { createRandom } from '../../../src/evaluate/random.js';

describe('calibration', () => {
  it('finds the slope and shift that the labels were drawn with', () => {
    const random = createRandom(9);
    const scores = Array.from({ length: 20_000 }, () => 4 * random() + 10);
    const labels = scores.map((score) => (random() < 1 / (1 + Math.exp(-(2 * score - 24))) ? 1 : 0));
    const { slope, shift } = plattOf(scores, labels);
    assert.ok(Math.abs(slope - 2) < 0.1, `${slope}`);
    assert.ok(Math.abs(shift + 24) < 1.2, `${shift}`);
  });

  it('stays finite where scores separate the labels', () => {
    const { slope, shift } = plattOf([1, 2, 3, 11, 12, 13], [0, 0, 0, 1, 1, 1]);
    assert.ok(Number.isFinite(slope) && Number.isFinite(shift) && slope > 0);
  });

  it('refuses scores that are the wrong way round, which a plain fit only tells', () => {
    const scores = [1, 2, 3, 4];
    assert.throws(() => plattOf(scores, [1, 1, 0, 0]), { code: 'bad_input_file' });
    assert.ok(logisticOf(scores, [1, 1, 0, 0]).slope < 0);
  });

  it('is measured as by hand', () => {
    const figures = calibrationFigures([0, 0, Math.log(3), Math.log(3)], [0, 1, 1, 1], {
      slope: 1,
      shift: 0,
    });
    assert.ok(Math.abs(figures.brier - (0.25 + 0.25 + 0.0625 + 0.0625) / 4) < 1e-12);
    assert.ok(Math.abs(figures.log_loss - (2 * Math.log(2) - 2 * Math.log(0.75)) / 4) < 1e-12);
    assert.equal(figures.base_rate_brier, 0.1875);
    assert.deepEqual(
      figures.reliability.map(({ from, count, observed }) => [from, count, observed]),
      [
        [0.5, 2, 0.5],
        [0.7, 2, 1],
      ],
    );
  });
});

describe('measures', () => {
  it('area under the curve counts ties half', () => {
    assert.equal(areaUnderCurve([1, 2, 3, 4], [0, 0, 1, 1]), 1);
    assert.equal(areaUnderCurve([1, 2, 2, 3], [0, 1, 0, 1]), 0.875);
    assert.equal(areaUnderCurve([5, 5], [0, 1]), 0.5);
  });

  it('nDCG is over the judged rows alone, or counts the others as not relevant', () => {
    const lists = { starts: [0, 3, 5], grades: [0, 1, -1, 1, 0] };
    const [first, second] = listNdcgs(lists, [1, 0, 9, 4, 3], { judgedOnly: true });
    assert.ok(Math.abs((first ?? 0) - 1 / Math.log2(3)) < 1e-12);
    assert.equal(second, 1);
    const [withAll] = listNdcgs(lists, [1, 0, 9, 4, 3], { judgedOnly: false });
    assert.ok(Math.abs((withAll ?? 0) - 1 / Math.log2(4)) < 1e-12);
    assert.deepEqual([...gainShares({ starts: [0, 3], grades: [2, 1, -1] })], [0.75, 0.25, 0]);
  });

  it('of strengths that cannot be told apart the strongest is taken', () => {
    const noisy = (level: number) =>
      Array.from({ length: 100 }, (_, i) => level + (i % 2) * (level === 1 ? 1 : 0.9));
    const apart = [
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ];
    const alike = [
      [1, 0, 1, 0],
      [0, 1, 0, 1.1],
    ];
    assert.equal(strongestGood(apart), 1);
    assert.equal(strongestGood(alike), 0);
    assert.equal(strongestGood([noisy(0.2), noisy(0.5), noisy(1)]), 2);
  });
});
