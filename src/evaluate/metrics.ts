/**
 * Measures of one ranking against the judgments of its query. All are in [0, 1]; a document that nobody judged
 * counts as grade 0. A ranking is a list of document ids, best first, each at most once.
 */
import type { Judgments } from './qrels.js';

/** Discounted cumulative gain with gain 2^g - 1 and discount log2(rank + 1) (Burges et al. 2005). */
function dcg(grades: readonly number[], k: number): number {
  let sum = 0;
  grades.slice(0, k).forEach((grade, i) => {
    sum += (2 ** grade - 1) / Math.log2(i + 2);
  });
  return sum;
}

/** nDCG@k (Järvelin and Kekäläinen 2002); the ideal is the best order of all judged documents. 0 without a relevant one. */
export function ndcg(ranking: readonly string[], judgments: Judgments, k: number): number {
  const ideal = dcg(
    [...judgments.values()].sort((a, b) => b - a),
    k,
  );
  if (ideal === 0) return 0;
  return (
    dcg(
      ranking.map((id) => judgments.get(id) ?? 0),
      k,
    ) / ideal
  );
}

/** Reciprocal of the rank of the first relevant document within the first k; 0 where there is none. */
export function reciprocalRank(ranking: readonly string[], judgments: Judgments, k: number): number {
  const at = ranking.slice(0, k).findIndex((id) => isRelevant(id, judgments));
  return at === -1 ? 0 : 1 / (at + 1);
}

/** Share of the relevant documents that are among the first k. 0 without a relevant one. */
export function recall(ranking: readonly string[], judgments: Judgments, k: number): number {
  const relevant = relevantCount(judgments);
  if (relevant === 0) return 0;
  return ranking.slice(0, k).filter((id) => isRelevant(id, judgments)).length / relevant;
}

/** nDCG@k of the ranking without the documents that nobody judged. */
export function judgedOnlyNdcg(ranking: readonly string[], judgments: Judgments, k: number): number {
  return ndcg(
    ranking.filter((id) => judgments.has(id)),
    judgments,
    k,
  );
}

/** Share of the first k places that hold a judged document; 0 for an empty ranking. */
export function judgedShare(ranking: readonly string[], judgments: Judgments, k: number): number {
  const top = ranking.slice(0, k);
  return top.length === 0 ? 0 : top.filter((id) => judgments.has(id)).length / top.length;
}

/** How many documents are judged relevant (grade 1 and above). */
export function relevantCount(judgments: Judgments): number {
  return [...judgments.values()].filter((grade) => grade > 0).length;
}

function isRelevant(id: string, judgments: Judgments): boolean {
  return (judgments.get(id) ?? 0) > 0;
}

/** What is measured, in the order of the report. */
export const METRICS = [
  { name: 'nDCG@10', of: (ranking, judgments) => ndcg(ranking, judgments, 10) },
  { name: 'MRR@10', of: (ranking, judgments) => reciprocalRank(ranking, judgments, 10) },
  { name: 'Recall@100', of: (ranking, judgments) => recall(ranking, judgments, 100) },
  { name: 'judged-only nDCG@10', of: (ranking, judgments) => judgedOnlyNdcg(ranking, judgments, 10) },
  { name: 'judged@10', of: (ranking, judgments) => judgedShare(ranking, judgments, 10) },
] as const satisfies readonly {
  readonly name: string;
  readonly of: (ranking: readonly string[], judgments: Judgments) => number;
}[];

export type MetricName = (typeof METRICS)[number]['name'];
