/**
 * The blend's weight, chosen by cross-validation: each fold of queries is ranked with the weight that is best on
 * the others, so the figure is one of queries that the weight has not seen.
 */
import type { Metric } from './metrics.js';
import type { Judgments } from './qrels.js';
import { blendRanking } from './fusion.js';
import type { Candidate } from './fusion.js';
import { createRandom, shuffled } from './random.js';
import { mean } from './statistics.js';

export interface JudgedCandidates {
  readonly candidates: readonly Candidate[];
  readonly excluded: ReadonlySet<string>;
  readonly judgments: Judgments;
}

export interface TunedBlend {
  /** Best over all queries: the one to use. */
  readonly weight: number;
  /** Measure of each query under the weight that the other folds chose. */
  readonly heldOut: readonly number[];
  /** What each fold chose. */
  readonly foldWeights: readonly number[];
  /** Mean over all queries by weight; tuned on what it is measured on, so for looking at only. */
  readonly curve: readonly { readonly weight: number; readonly value: number }[];
}

/** 0 (the probability alone) to 1 (the engine). */
export const BLEND_WEIGHTS: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 20);

/** @param folds at least 2; with fewer queries than folds each query is one */
export function tuneBlend(
  queries: readonly JudgedCandidates[],
  metric: Metric,
  { folds, seed }: { readonly folds: number; readonly seed: number },
): TunedBlend {
  const values = BLEND_WEIGHTS.map((weight) => queries.map((query) => measured(query, metric, weight)));
  const order = shuffled(
    queries.map((_, i) => i),
    createRandom(seed),
  );
  const count = Math.min(folds, queries.length);
  const heldOut = new Array<number>(queries.length).fill(0);
  const foldWeights: number[] = [];
  for (let fold = 0; fold < count; fold++) {
    const isOut = (place: number): boolean => place % count === fold;
    const best = bestOf(
      values,
      order.filter((_, place) => !isOut(place)),
    );
    foldWeights.push(BLEND_WEIGHTS[best] ?? 0);
    for (const query of order.filter((_, place) => isOut(place))) heldOut[query] = values[best]?.[query] ?? 0;
  }
  return {
    weight: BLEND_WEIGHTS[bestOf(values, order)] ?? 0,
    heldOut,
    foldWeights,
    curve: BLEND_WEIGHTS.map((weight, i) => ({ weight, value: mean(values[i] ?? []) })),
  };
}

function measured(
  { candidates, excluded, judgments }: JudgedCandidates,
  metric: Metric,
  weight: number,
): number {
  return metric.of(
    blendRanking(candidates, weight).filter((id) => !excluded.has(id)),
    judgments,
  );
}

/** Place of the weight with the highest mean over these queries; of equal ones the smallest. */
function bestOf(values: readonly (readonly number[])[], queries: readonly number[]): number {
  let best = 0;
  let highest = -Infinity;
  values.forEach((row, i) => {
    const value = mean(queries.map((query) => row[query] ?? 0));
    if (value <= highest + 1e-12) return;
    best = i;
    highest = value;
  });
  return best;
}
