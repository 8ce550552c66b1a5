/** How well scores tell similar pairs from others, with the threshold held out, and differences with intervals. Pure. */
import { createRandom } from '../../src/evaluate/random.js';
import type { Difference } from './ranking-row.js';

const RESAMPLES = 1_000;
const SEED = 1;

/** 1 where a pair falls on the right side of the threshold that is best on the other folds, else 0. By pair. */
export function heldOutHits(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  folds: { readonly count: number; readonly of: ArrayLike<number> },
): number[] {
  const hits = new Array<number>(labels.length).fill(0);
  const order = inOrder(scores);
  for (let fold = 0; fold < folds.count; fold++) {
    const threshold = bestThreshold(
      scores,
      labels,
      order.filter((pair) => folds.of[pair] !== fold),
    );
    for (const pair of order)
      if (folds.of[pair] === fold)
        hits[pair] = (scores[pair] as number) >= threshold === (labels[pair] === 1) ? 1 : 0;
  }
  return hits;
}

/** The score from which on a pair is called similar with the fewest errors; `order` is from low to high. */
function bestThreshold(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  order: readonly number[],
): number {
  // All are called similar at first: each of label 0 is an error.
  let errors = order.filter((pair) => labels[pair] !== 1).length;
  let fewest = errors;
  let threshold = -Infinity;
  order.forEach((pair, i) => {
    errors += labels[pair] === 1 ? 1 : -1;
    const [here, next] = [scores[pair] as number, scores[order[i + 1] ?? -1]];
    if (next === here || errors >= fewest) return;
    fewest = errors;
    threshold = next === undefined ? Infinity : (here + next) / 2;
  });
  return threshold;
}

/** Difference of the areas under both curves, its interval by the paired bootstrap over pairs. */
export function areaDifference(
  scores: ArrayLike<number>,
  base: ArrayLike<number>,
  labels: ArrayLike<number>,
): Difference {
  const [order, baseOrder] = [inOrder(scores), inOrder(base)];
  const random = createRandom(SEED);
  const n = labels.length;
  const drawn = new Float64Array(n);
  const differenceOf = (weights: Float64Array): number =>
    weightedArea(scores, labels, order, weights) - weightedArea(base, labels, baseOrder, weights);
  const middle = differenceOf(new Float64Array(n).fill(1));
  const resampled = Float64Array.from({ length: RESAMPLES }, () => {
    drawn.fill(0);
    for (let i = 0; i < n; i++) {
      const pair = Math.floor(random() * n);
      drawn[pair] = (drawn[pair] as number) + 1;
    }
    return differenceOf(drawn);
  }).sort();
  const at = (share: number): number => resampled[Math.round(share * (RESAMPLES - 1))] as number;
  return { mean: middle, interval: { low: at(0.025), high: at(0.975) } };
}

/** Share of (similar, other) pairs of pairs in the right order, a tie counting half, each pair as often as its weight. */
export function weightedArea(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  order: readonly number[],
  weights: ArrayLike<number>,
): number {
  let below = 0;
  let area = 0;
  let similar = 0;
  for (let at = 0; at < order.length;) {
    const score = scores[order[at] as number];
    let [tiedSimilar, tiedOther] = [0, 0];
    for (; at < order.length && scores[order[at] as number] === score; at++) {
      const pair = order[at] as number;
      if (labels[pair] === 1) tiedSimilar += weights[pair] as number;
      else tiedOther += weights[pair] as number;
    }
    area += tiedSimilar * (below + tiedOther / 2);
    below += tiedOther;
    similar += tiedSimilar;
  }
  return area / (similar * below);
}

/** Numbers of the pairs from low to high. */
export function inOrder(scores: ArrayLike<number>): number[] {
  return Array.from(scores, (_, pair) => pair).sort((a, b) => (scores[a] as number) - (scores[b] as number));
}
