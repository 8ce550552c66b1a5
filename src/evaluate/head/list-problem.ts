/** Judged queries with their documents and the engine's hits as something to learn from. */
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
  /** Row `starts[g]` to `starts[g + 1]` are list g. */
  readonly starts: Int32Array;
  /**
   * Number of each list's query. The first lists are those of judged documents, one for each query in their order;
   * then come lists of the engine's hits, of some of these queries.
   */
  readonly queries: Int32Array;
}

export interface ListOptions {
  readonly folds: number;
  readonly seed: number;
  /** Grades from this one on are "similar" to the calibration. */
  readonly relevantFrom: number;
}

/** Strengths that are tried, from strong to weak. */
export const LIST_STRENGTHS = [30, 10, 5, 2, 1, 0.5] as const;

/**
 * Within one query u is constant, so nothing can be learned of its part. The distance is held harder than v: measured
 * on entity titles, weights of single distances fit the training queries alone, see docs/models-head.md.
 */
function listStrengths(strength: number): Strengths {
  return { u: Infinity, v: strength, d: 3 * strength };
}

export function listProblem(
  { vectors, left, right, grades, starts, queries }: NumberedLists,
  { folds: count, seed, relevantFrom }: ListOptions,
): TrainingProblem {
  const folds = listFolds(starts, queries, count, seed);
  const rows = trainingRows('lists', vectors, {
    left,
    right,
    starts,
    target: gainShares({ starts, grades }),
    withheld: folds.withheld,
  });
  const ofJudged = new Set(queries).size;
  const judgedLists = { starts: starts.subarray(0, ofJudged + 1), grades };
  const hitLists = { starts: starts.subarray(ofJudged), grades };
  // Hits that nobody judged may be relevant: they teach an order, but are no ground for a probability.
  const judged = Int32Array.from(
    [...grades.keys()].filter((row) => row < (starts[ofJudged] as number) && (grades[row] as number) >= 0),
  );
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
        of: (scores) => listLosses(judgedLists, scores).map((loss) => -loss),
      },
      {
        name: 'judged-only nDCG@10',
        of: (scores) => listNdcgs(judgedLists, scores, { judgedOnly: true }),
      },
      ...(hitLists.starts.length < 2
        ? []
        : [
            {
              name: 'nDCG@10 of hits',
              of: (scores: Float64Array) => listNdcgs(hitLists, scores, { judgedOnly: false }),
            },
          ]),
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
    examples: { queries: ofJudged, judged: judged.length, from_hits: grades.length - judged.length },
  };
}
