/** How well scores order the rows of each list: nDCG@10 and the listwise loss. Pure. */
import { ndcg } from '../metrics.js';

/** Rows of queries: row `starts[g]` to `starts[g + 1]` are the list of query g. */
export interface GradedLists {
  readonly starts: ArrayLike<number>;
  /** Grade of each row; -1 where nobody judged it. */
  readonly grades: ArrayLike<number>;
}

const DEPTH = 10;

/**
 * By list, over judged rows alone or with the others as grade 0. Ties go by the order of the rows, which must say
 * nothing about the grades.
 */
export function listNdcgs(
  { starts, grades }: GradedLists,
  scores: ArrayLike<number>,
  { judgedOnly }: { readonly judgedOnly: boolean },
): number[] {
  return Array.from({ length: starts.length - 1 }, (_, list) => {
    const rows: number[] = [];
    for (let row = starts[list] as number; row < (starts[list + 1] as number); row++)
      if (!judgedOnly || (grades[row] as number) >= 0) rows.push(row);
    const judgments = new Map(rows.map((row) => [String(row), Math.max(0, grades[row] as number)]));
    rows.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    return ndcg(rows.map(String), judgments, DEPTH);
  });
}

/**
 * Cross-entropy of each list's shares of gain and the softmax of its scores, what a head of lists is fitted to, over
 * judged rows alone. It sees every one of them, not ten, and so tells heads apart that nDCG@10 cannot. By list.
 */
export function listLosses({ starts, grades }: GradedLists, scores: ArrayLike<number>): number[] {
  const shares = gainShares({ starts, grades });
  return Array.from({ length: starts.length - 1 }, (_, list) => {
    const rows: number[] = [];
    for (let row = starts[list] as number; row < (starts[list + 1] as number); row++)
      if ((grades[row] as number) >= 0) rows.push(row);
    const most = Math.max(...rows.map((row) => scores[row] as number));
    const total = rows.reduce((sum, row) => sum + Math.exp((scores[row] as number) - most), 0);
    const log = most + Math.log(total);
    return rows.reduce((sum, row) => sum - (shares[row] as number) * ((scores[row] as number) - log), 0);
  });
}

/** Shares of each query's gain, 2^grade - 1 (Burges et al. 2005), the targets of its list. */
export function gainShares({ starts, grades }: GradedLists): Float32Array {
  const shares = Float32Array.from(grades, (grade) => 2 ** Math.max(0, grade) - 1);
  for (let list = 0; list + 1 < starts.length; list++) {
    const gains = shares.subarray(starts[list], starts[list + 1]);
    const total = gains.reduce((sum, gain) => sum + gain, 0);
    gains.forEach((gain, i) => (gains[i] = gain / total));
  }
  return shares;
}
