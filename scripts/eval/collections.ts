/** The collections that are evaluated, and how far above the engine the proxy must be. */
import type { EvaluationReport } from '../../src/evaluate/report.js';

export interface Collection {
  readonly title: string;
  /** Folder within the data folder. */
  readonly folder: string;
  readonly corpus: string;
  readonly queries: string;
  readonly qrels: string;
  /** The engine's analyzer of the titles. */
  readonly analyzer: string;
  /** Leave out candidates that equal the query: they are the query itself, found again. */
  readonly excludeEqual: boolean;
  readonly bar: { readonly metric: string; readonly atLeast: number };
}

export const COLLECTIONS: Readonly<Record<string, Collection>> = {
  dbpedia: {
    title: 'DBpedia-Entity v2, dev: English entity titles',
    folder: 'dbpedia_entity',
    corpus: 'corpus.jsonl.gz',
    queries: 'queries.jsonl',
    qrels: 'qrels.dev.tsv',
    analyzer: 'standard',
    excludeEqual: false,
    bar: { metric: 'nDCG@10', atLeast: 0.04 },
  },
  kuake: {
    title: 'KUAKE-QQR, dev: Chinese medical questions',
    folder: 'kuake_qqr',
    corpus: 'corpus.jsonl',
    queries: 'queries.jsonl',
    qrels: 'qrels.dev.tsv',
    analyzer: 'cjk',
    excludeEqual: true,
    bar: { metric: 'judged-only nDCG@10', atLeast: 0.06 },
  },
};

/** What the report falls short of; empty where all is well. */
export function shortfalls(report: EvaluationReport, { bar }: Collection): string[] {
  const found: string[] = [];
  if (report.outcomes.applied < report.queries) {
    found.push(`only ${report.outcomes.applied} of ${report.queries} queries were reranked`);
  }
  const metric = report.metrics.find(({ name }) => name === bar.metric);
  if (metric === undefined) return [...found, `the report has no ${bar.metric}`];
  if (metric.difference < bar.atLeast) {
    found.push(
      `${bar.metric} differs by ${metric.difference.toFixed(4)}, wanted is at least +${bar.atLeast}`,
    );
  }
  if (metric.interval.low <= 0) found.push(`the interval of ${bar.metric} is not clear of zero`);
  return found;
}
