/** Fits heads at several strengths with each fold held out, and keeps the scores of the rows held out. */
import type { FeatureFrame, Strengths } from './anchored-head.js';
import { fitAnchor, fitHead } from './fit-head.js';
import type { Folds } from './folds.js';
import type { GradientPool } from './gradient-pool.js';
import { logOdds } from './loss.js';
import type { TrainingRows } from './training-rows.js';

/** Log-odds of each row under the head that was fitted without its fold. */
export interface CrossValidation {
  readonly anchor: Float64Array;
  /** In the order of the strengths. */
  readonly heads: readonly Float64Array[];
}

export interface CrossValidationDeps {
  readonly rows: TrainingRows;
  readonly folds: Folds;
  readonly frame: FeatureFrame;
  readonly pool: GradientPool;
  /** Told after each fit. */
  readonly onFit?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Strengths should go from strong to weak: each fit starts where the one before it ended. */
export async function crossValidate(
  { rows, folds, frame, pool, onFit, signal }: CrossValidationDeps,
  strengths: readonly Strengths[],
): Promise<CrossValidation> {
  const rowCount = rows.left.length;
  const anchor = new Float64Array(rowCount);
  const heads = strengths.map(() => new Float64Array(rowCount));
  const total = folds.count * (1 + strengths.length);
  let done = 0;
  const keep = (scores: Float64Array, fold: number, weights: Float64Array): void => {
    for (let row = 0; row < rowCount; row++)
      if (folds.of[row] === fold) scores[row] = logOdds(rows, row, weights);
    done++;
    onFit?.(done, total);
  };
  for (let fold = 0; fold < folds.count; fold++) {
    signal.throwIfAborted();
    let fitted = await fitAnchor(pool, frame, fold);
    keep(anchor, fold, fitted.weights);
    for (const [i, strength] of strengths.entries()) {
      signal.throwIfAborted();
      fitted = await fitHead(pool, frame, strength, fold, fitted.parameters);
      keep(heads[i] as Float64Array, fold, fitted.weights);
    }
  }
  return { anchor, heads };
}
