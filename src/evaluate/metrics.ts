/**
 * Measures of one ranking against the judgments of its query. All are in [0, 1]; a document that nobody judged
 * counts as grade 0. A ranking is a list of document ids, best first, each at most once.
 */
import { TwinrankError } from '../errors.js';
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

/**
 * Average precision at k, as trec_eval's map_cut has it: the precision at each relevant hit within the first k,
 * summed and divided by the number of all relevant documents. 0 without a relevant one.
 */
export function averagePrecision(ranking: readonly string[], judgments: Judgments, k: number): number {
  const relevant = relevantCount(judgments);
  if (relevant === 0) return 0;
  let found = 0;
  let sum = 0;
  ranking.slice(0, k).forEach((id, i) => {
    if (isRelevant(id, judgments)) sum += ++found / (i + 1);
  });
  return sum / relevant;
}

/** Share of the first k places that hold a relevant document; places that stay empty count. */
export function precision(ranking: readonly string[], judgments: Judgments, k: number): number {
  return ranking.slice(0, k).filter((id) => isRelevant(id, judgments)).length / k;
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

/** A measure at a cut-off. */
export interface Metric {
  /** As in `nDCG@10` or `judged-only MRR@5`. */
  readonly name: string;
  readonly of: (ranking: readonly string[], judgments: Judgments) => number;
}

type Measure = (ranking: readonly string[], judgments: Judgments, k: number) => number;

/** Measures that also have a judged-only form, which takes the documents that nobody judged out of the ranking. */
const MEASURES: Readonly<Record<string, Measure>> = {
  nDCG: ndcg,
  MRR: reciprocalRank,
  MAP: averagePrecision,
  Recall: recall,
  P: precision,
};
const JUDGED_ONLY = 'judged-only ';
const JUDGED = 'judged';

/** What is measured where no cut-offs are named, in the order of the report. */
export const DEFAULT_METRICS: readonly Metric[] = [
  'nDCG@10',
  'MRR@10',
  'MAP@100',
  'Recall@100',
  'P@10',
  'judged-only nDCG@10',
  'judged@10',
].map(metricNamed);

/** Every measure at every cut-off, in the order of the report. */
export function metricsAt(cutoffs: readonly number[]): readonly Metric[] {
  const names = Object.keys(MEASURES);
  return cutoffs
    .flatMap((k) =>
      [...names, ...names.map((name) => JUDGED_ONLY + name), JUDGED].map((name) => `${name}@${k}`),
    )
    .map(metricNamed);
}

/** The metric of a name, whose letters may be large or small. Throws `bad_config` that says which there are. */
export function metricNamed(text: string): Metric {
  const match = /^(judged-only +)?([a-z]+)@([1-9]\d{0,4})$/i.exec(text.trim());
  const k = Number(match?.[3]);
  const isJudgedOnly = match?.[1] !== undefined;
  const wanted = match?.[2]?.toLowerCase();
  if (wanted === JUDGED && !isJudgedOnly)
    return { name: `${JUDGED}@${k}`, of: (ranking, judgments) => judgedShare(ranking, judgments, k) };
  const found = Object.entries(MEASURES).find(([name]) => name.toLowerCase() === wanted);
  if (found === undefined) {
    throw new TwinrankError(
      'bad_config',
      `"${text}" is no metric; there are ${Object.keys(MEASURES).join(', ')} and judged, each with a cut-off as in nDCG@10, ` +
        'and all but the last as in "judged-only nDCG@10".',
    );
  }
  const [name, measure] = found;
  if (!isJudgedOnly)
    return { name: `${name}@${k}`, of: (ranking, judgments) => measure(ranking, judgments, k) };
  return {
    name: `${JUDGED_ONLY}${name}@${k}`,
    of: (ranking, judgments) =>
      measure(
        ranking.filter((id) => judgments.has(id)),
        judgments,
        k,
      ),
  };
}
