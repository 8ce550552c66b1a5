/** How well scores tell similar pairs from others. Pure. */
import { probability } from '../../model/head.js';
import { crossEntropy } from './loss.js';

/** 1 where a probability of at least a half goes with the label 1, or a smaller one with 0; else 0. By pair. */
export function hitsOf(logOdds: ArrayLike<number>, labels: ArrayLike<number>): number[] {
  return Array.from(labels, (label, i) =>
    probability(logOdds[i] as number) >= 0.5 === (label === 1) ? 1 : 0,
  );
}

/** Cross-entropy by pair. */
export function lossesOf(logOdds: ArrayLike<number>, labels: ArrayLike<number>): number[] {
  return Array.from(labels, (label, i) => crossEntropy(logOdds[i] as number, label));
}

/** Share of (similar, other) pairs of pairs in the right order, a tie counting half (Mann and Whitney 1947). */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  order.sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let rankSum = 0;
  let positives = 0;
  for (let at = 0; at < order.length;) {
    let end = at + 1;
    while (end < order.length && scores[order[end] as number] === scores[order[at] as number]) end++;
    const middle = (at + 1 + end) / 2;
    for (let i = at; i < end; i++) {
      if (labels[order[i] as number] !== 1) continue;
      rankSum += middle;
      positives++;
    }
    at = end;
  }
  const negatives = order.length - positives;
  return positives * negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
