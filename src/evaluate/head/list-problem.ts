/** Judged queries with their documents as something to learn from. */
import type { Strengths } from './anchored-head.js';
import { listFolds } from './folds.js';
import { gainShares, listLosses, listNdcgs } from './list-measures.js';
import { areaUnderCurve } from './pair-measures.js';
import type { TrainingProblem } from './train-head.js';
import { trainingRows, type VectorTable } from './training-rows.js';

export interface NumberedLists {
  readonly vectors: VectorTable;
  /** Place of each row's query and document in the table. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Grade of each row; -1 where nobody judged it. */
  readonly grades: Int32Array;
  /** Row `starts[g]` to `starts[g + 1]` are the list of query g. */
  readonly starts: Int32Array;
}

export interface ListOptions {
  readonly folds: number;
  readonly seed: number;
  /** Grades from this one on are "similar" to the calibration. */
  readonly relevantFrom: number;
}

/** Strengths that are tried, from strong to weak. */
export const LIST_STRENGTHS = [30, 10, 3, 1, 0.3, 0.1] as const;

/**
 * Within one query u is constant, so nothing can be learned of its part. The distance is held harder than v: measured
 * on entity titles, weights of single distances fit the training queries alone, see docs/models.md.
 */
function listStrengths(strength: number): Strengths {
  return { u: Infinity, v: strength, d: 10 * strength };
}

export function listProblem(
  { vectors, left, right, grades, starts }: NumberedLists,
  { folds: count, seed, relevantFrom }: ListOptions,
): TrainingProblem {
  const folds = listFolds(starts, count, seed);
  const rows = trainingRows('lists', vectors, {
    left,
    right,
    starts,
    target: gainShares({ starts, grades }),
    withheld: folds.withheld,
  });
  // Hits that nobody judged may be relevant: they teach an order, but are no ground for a probability.
  const judged = Int32Array.from([...grades.keys()].filter((row) => (grades[row] as number) >= 0));
  const labels = Uint8Array.from(judged, (row) => ((grades[row] as number) >= relevantFrom ? 1 : 0));
  return {
    kind: 'queries',
    all: rows,
    rows,
    folds,
    judged,
    labels,
    strengths: listStrengths,
    measures: [
      {
        name: 'list loss',
        isLoss: true,
        needsScale: true,
        of: (scores) => listLosses({ starts, grades }, scores).map((loss) => -loss),
      },
      { name: 'judged-only nDCG@10', of: (scores) => listNdcgs({ starts, grades }, scores) },
      {
        name: 'AUC of judged',
        of: () => [],
        shown: (scores) =>
          areaUnderCurve(
            Float64Array.from(judged, (row) => scores[row] as number),
            labels,
          ),
      },
    ],
    examples: { queries: starts.length - 1, judged: judged.length, from_hits: grades.length - judged.length },
  };
}
