/** The collections that are evaluated, and how far above the engine the proxy must be. */
import { prepareSemeval, SEMEVAL_FILES } from './semeval.js';
import type { EvaluationReport } from '../../src/evaluate/report.js';

export interface Collection {
  readonly title: string;
  /** Folder within the data folder. */
  readonly folder: string;
  /** File that shows that the collection is there, where it is not the corpus. */
  readonly source?: string;
  readonly corpus: string;
  readonly queries: string;
  readonly qrels: string;
  /** Makes these three files in the second folder from those of the first, where the collection has another form. */
  readonly prepare?: (from: string, into: string) => Promise<void>;
  /** Fields that the engine matches; the vectors are always of the title. */
  readonly fields: readonly string[];
  /** The engine's analyzer of them. */
  readonly analyzer: string;
  /** Leave out candidates that equal the query: they are the query itself, found again. */
  readonly excludeEqual: boolean;
  /**
   * By which orders are compared: judged-only where hits are unjudged and so tell nothing. Cranfield was judged in
   * full, and its judgments name the relevant documents alone.
   */
  readonly metric: 'nDCG@10' | 'judged-only nDCG@10';
  readonly language: 'en' | 'zh';
  /** Undefined where the figures are only looked at. */
  readonly bar?: { readonly metric: string; readonly atLeast: number };
}

const CRANFIELD = {
  folder: 'cranfield',
  corpus: 'corpus.jsonl',
  queries: 'queries.jsonl',
  qrels: 'qrels.tsv',
  analyzer: 'standard',
  excludeEqual: false,
  metric: 'nDCG@10',
  language: 'en',
} as const;

const SEMEVAL = {
  folder: 'semeval2016_cqa',
  ...SEMEVAL_FILES,
  prepare: prepareSemeval,
  analyzer: 'standard',
  excludeEqual: false,
  metric: 'judged-only nDCG@10',
  language: 'en',
} as const;

export const COLLECTIONS: Readonly<Record<string, Collection>> = {
  dbpedia: {
    title: 'DBpedia-Entity v2, dev: English entity titles',
    folder: 'dbpedia_entity',
    corpus: 'corpus.jsonl.gz',
    queries: 'queries.jsonl',
    qrels: 'qrels.dev.tsv',
    fields: ['title'],
    analyzer: 'standard',
    excludeEqual: false,
    metric: 'judged-only nDCG@10',
    language: 'en',
    bar: { metric: 'nDCG@10', atLeast: 0.04 },
  },
  kuake: {
    title: 'KUAKE-QQR, dev: Chinese medical questions',
    folder: 'kuake_qqr',
    corpus: 'corpus.jsonl',
    queries: 'queries.jsonl',
    qrels: 'qrels.dev.tsv',
    fields: ['title'],
    analyzer: 'cjk',
    excludeEqual: true,
    metric: 'judged-only nDCG@10',
    language: 'zh',
    bar: { metric: 'judged-only nDCG@10', atLeast: 0.06 },
  },
  'kuake-qtr': {
    title: 'KUAKE-QTR, dev: Chinese medical searches and page titles',
    folder: 'kuake_qtr',
    corpus: 'corpus.jsonl',
    queries: 'queries.jsonl',
    qrels: 'qrels.dev.tsv',
    fields: ['title'],
    analyzer: 'cjk',
    excludeEqual: false,
    metric: 'judged-only nDCG@10',
    language: 'zh',
  },
  'cranfield-title': { ...CRANFIELD, title: 'Cranfield: the engine matches the title', fields: ['title'] },
  cranfield: {
    ...CRANFIELD,
    title: 'Cranfield: the engine matches title and body',
    fields: ['title', 'text'],
  },
  'semeval-subject': { ...SEMEVAL, title: 'SemEval 2016 forum questions: subject', fields: ['title'] },
  semeval: { ...SEMEVAL, title: 'SemEval 2016 forum questions: subject and body', fields: ['title', 'text'] },
};

/** What the report falls short of; empty where all is well. */
export function shortfalls(report: EvaluationReport, { bar }: Collection): string[] {
  const found: string[] = [];
  if (report.outcomes.applied < report.queries) {
    found.push(`only ${report.outcomes.applied} of ${report.queries} queries were reranked`);
  }
  if (bar === undefined) return found;
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
