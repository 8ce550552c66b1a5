import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anchorParameters, frameOf, penalised, weightsOf } from '../../../src/evaluate/head/anchored-head.js';
import { createGradientPool, evenBounds } from '../../../src/evaluate/head/gradient-pool.js';
import { minimise } from '../../../src/evaluate/head/lbfgs.js';
import { addLoss, emptySum, logOdds } from '../../../src/evaluate/head/loss.js';
import { NO_FOLD, trainingRows, type TrainingRows } from '../../../src/evaluate/head/training-rows.js';
import { createRandom } from '../../../src/evaluate/random.js';
import { createHead } from '../../../src/model/head.js';
import { randomTable } from './fixtures.js';

const DIMENSIONS = 5;
const random = createRandom(3);
const vectors = randomTable(40, DIMENSIONS, random);
const numbers = (count: number, most: number) =>
  Array.from({ length: count }, () => Math.floor(random() * most));

const pairs = trainingRows('pairs', vectors, {
  left: numbers(30, 40),
  right: numbers(30, 40),
  target: numbers(30, 2),
  withheld: numbers(30, 2),
});
const lists = trainingRows('lists', vectors, {
  left: [0, 0, 0, 1, 1, 2, 2, 2, 2],
  right: numbers(9, 40),
  target: [1, 0, 0, 0.25, 0.75, 0, 0.5, 0.5, 0],
  withheld: [0, 0, 0, 1, 1, 0, 0, 0, 0],
  starts: [0, 3, 5, 9],
});

describe('loss', () => {
  for (const [name, rows] of [
    ['pairs', pairs],
    ['lists', lists],
  ] as const) {
    it(`of ${name} has the gradient that finite differences give`, () => {
      const frame = frameOf(rows);
      const strengths = { u: 0.3, v: 0.2, d: 0.1 };
      const at = anchorParameters(frame).map((value) => value + random() - 0.5);
      const valueAt = (parameters: Float64Array, fold: number) => {
        const sum = emptySum(DIMENSIONS);
        addLoss(rows, 0, rows.starts.length - 1, weightsOf(parameters, frame), fold, sum);
        return penalised(sum, parameters, frame, strengths);
      };
      for (const fold of [NO_FOLD, 0]) {
        const { gradient } = valueAt(at, fold);
        for (const i of at.keys()) {
          const [up, down] = [Float64Array.from(at), Float64Array.from(at)];
          up[i] = (up[i] as number) + 1e-5;
          down[i] = (down[i] as number) - 1e-5;
          const slope = (valueAt(up, fold).value - valueAt(down, fold).value) / 2e-5;
          assert.ok(Math.abs(slope - (gradient[i] as number)) < 1e-7, `${i}: ${slope} and ${gradient[i]}`);
        }
      }
    });
  }

  it('leaves out what is withheld', () => {
    const sum = emptySum(DIMENSIONS);
    addLoss(lists, 0, 3, new Float64Array(3 * DIMENSIONS + 1), 0, sum);
    assert.equal(sum.lists, 2);
    // With all weights nought, every row of a list has the same share.
    assert.ok(Math.abs(sum.loss - (Math.log(3) + Math.log(4))) < 1e-12);
  });

  it('scores a row as the head does that is written', () => {
    const weights = Float64Array.from({ length: 3 * DIMENSIONS + 1 }, () => random() - 0.5);
    const row1 = [...weights.subarray(0, 3 * DIMENSIONS)];
    const head = createHead([row1.map(() => 0), row1], [0, weights[3 * DIMENSIONS] as number], DIMENSIONS);
    const vector = (place: number | undefined) =>
      vectors.values.slice((place ?? 0) * DIMENSIONS, ((place ?? 0) + 1) * DIMENSIONS);
    for (const row of [0, 7, 29]) {
      const expected = head.scorer(vector(pairs.left[row])).logOdds(vector(pairs.right[row]));
      assert.ok(Math.abs(logOdds(pairs, row, weights) - expected) < 1e-12);
    }
  });

  it('is the same summed by one thread or by several', async () => {
    const many = 4_000;
    const rows: TrainingRows = trainingRows('pairs', vectors, {
      left: numbers(many, 40),
      right: numbers(many, 40),
      target: numbers(many, 2),
      withheld: numbers(many, 2),
    });
    const weights = Float64Array.from({ length: 3 * DIMENSIONS + 1 }, () => random() - 0.5);
    const alone = createGradientPool(rows, 1);
    const together = createGradientPool(rows, 2);
    try {
      const [a, b] = [await alone.sum(weights, 0), await together.sum(weights, 0)];
      assert.equal(a.lists, b.lists);
      assert.ok(a.lists < many);
      assert.ok(Math.abs(a.loss - b.loss) < 1e-8);
      for (const [i, value] of a.gradient.entries())
        assert.ok(Math.abs(value - (b.gradient[i] as number)) < 1e-8);
    } finally {
      await alone.close();
      await together.close();
    }
  });

  it('is shared out by rows, not by lists', () => {
    assert.deepEqual(evenBounds(Int32Array.of(0, 90, 95, 100), 2), [0, 1, 3]);
    assert.deepEqual(evenBounds(Int32Array.of(0, 1, 2, 3, 4), 2), [0, 2, 4]);
  });
});

describe('the optimiser', () => {
  it('finds the minimum of a badly scaled quadratic', async () => {
    const scales = [1, 10, 100, 1_000];
    const evaluate = (at: Float64Array) => ({
      value: at.reduce((sum, x, i) => sum + ((scales[i] as number) / 2) * (x - i) ** 2, 0),
      gradient: at.map((x, i) => (scales[i] as number) * (x - i)),
    });
    const { at } = await minimise(evaluate, new Float64Array(4), { iterations: 100, tolerance: 0 });
    for (const [i, x] of at.entries()) assert.ok(Math.abs(x - i) < 1e-6, `${i}: ${x}`);
  });

  it('stays where no step goes down', async () => {
    const flat = () => ({ value: 1, gradient: new Float64Array(2) });
    const { at, iterations } = await minimise(flat, Float64Array.of(3, 4), { iterations: 10, tolerance: 0 });
    assert.deepEqual([...at], [3, 4]);
    assert.equal(iterations, 0);
  });
});
