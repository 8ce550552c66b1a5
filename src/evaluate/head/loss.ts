/**
 * The loss of a linear head over training rows and its gradient, in the head's own weights: log-odds of a row are
 * z = w_u . u + w_v . v + w_d . |u - v| + b. Pure, and written for the threads that run it over their share of rows.
 *
 * Pairs: cross-entropy of sigmoid(z) and the label. Lists: cross-entropy of softmax(z) over a query's rows and their
 * shares of its gain (ListNet's top-one form, Cao et al. 2007).
 */
import { probability } from '../../model/head.js';
import { isTrained, type TrainingRows } from './training-rows.js';

/** Sums over the lists that took part; `gradient` holds [w_u; w_v; w_d; b]. */
export interface LossSum {
  loss: number;
  /** Lists that took part. */
  lists: number;
  readonly gradient: Float64Array;
}

export function emptySum(dimensions: number): LossSum {
  return { loss: 0, lists: 0, gradient: new Float64Array(3 * dimensions + 1) };
}

/** Adds the lists `from` to `to` (exclusive) that are not withheld for `fold`. `weights` are [w_u; w_v; w_d; b]. */
export function addLoss(
  rows: TrainingRows,
  from: number,
  to: number,
  weights: Float64Array,
  fold: number,
  sum: LossSum,
): void {
  const { starts, withheld } = rows;
  const scratch = new Float64Array(longestList(starts, from, to));
  for (let list = from; list < to; list++) {
    const start = starts[list] as number;
    const end = starts[list + 1] as number;
    if (!isTrained(withheld[start] as number, fold)) continue;
    for (let row = start; row < end; row++) scratch[row - start] = logOdds(rows, row, weights);
    sum.loss += rows.kind === 'pairs' ? pairLoss(rows, start, scratch) : listLoss(rows, start, end, scratch);
    sum.lists++;
    for (let row = start; row < end; row++)
      addGradient(rows, row, scratch[row - start] as number, sum.gradient);
  }
}

/** Log-odds of one row. */
export function logOdds({ vectors, left, right }: TrainingRows, row: number, weights: Float64Array): number {
  const { values, dimensions } = vectors;
  const u = (left[row] as number) * dimensions;
  const v = (right[row] as number) * dimensions;
  let sum = weights[3 * dimensions] as number;
  for (let i = 0; i < dimensions; i++) {
    const a = values[u + i] as number;
    const b = values[v + i] as number;
    sum +=
      (weights[i] as number) * a +
      (weights[dimensions + i] as number) * b +
      (weights[2 * dimensions + i] as number) * Math.abs(a - b);
  }
  return sum;
}

/** Leaves in `scores` the loss's derivative by the row's log-odds. */
function pairLoss({ target }: TrainingRows, row: number, scores: Float64Array): number {
  const z = scores[0] as number;
  const y = target[row] as number;
  scores[0] = probability(z) - y;
  return crossEntropy(z, y);
}

/** -log of the probability that log-odds of `z` give to the label. */
export function crossEntropy(z: number, label: number): number {
  return Math.max(z, 0) - label * z + Math.log1p(Math.exp(-Math.abs(z)));
}

function listLoss({ target }: TrainingRows, start: number, end: number, scores: Float64Array): number {
  const size = end - start;
  let most = -Infinity;
  for (let i = 0; i < size; i++) most = Math.max(most, scores[i] as number);
  let total = 0;
  for (let i = 0; i < size; i++) total += Math.exp((scores[i] as number) - most);
  const log = most + Math.log(total);
  let loss = 0;
  for (let i = 0; i < size; i++) {
    const z = (scores[i] as number) - log;
    const share = target[start + i] as number;
    loss -= share * z;
    scores[i] = Math.exp(z) - share;
  }
  return loss;
}

function addGradient(
  { vectors, left, right }: TrainingRows,
  row: number,
  derivative: number,
  gradient: Float64Array,
): void {
  const { values, dimensions } = vectors;
  const u = (left[row] as number) * dimensions;
  const v = (right[row] as number) * dimensions;
  for (let i = 0; i < dimensions; i++) {
    const a = values[u + i] as number;
    const b = values[v + i] as number;
    gradient[i] = (gradient[i] as number) + derivative * a;
    gradient[dimensions + i] = (gradient[dimensions + i] as number) + derivative * b;
    gradient[2 * dimensions + i] = (gradient[2 * dimensions + i] as number) + derivative * Math.abs(a - b);
  }
  gradient[3 * dimensions] = (gradient[3 * dimensions] as number) + derivative;
}

function longestList(starts: Int32Array, from: number, to: number): number {
  let longest = 1;
  for (let list = from; list < to; list++)
    longest = Math.max(longest, (starts[list + 1] as number) - (starts[list] as number));
  return longest;
}
