/** The options of `twinrank eval`. */
import { parseBar } from '../evaluate/bars.js';
import { metricNamed } from '../evaluate/metrics.js';
import { REPORT_DEFAULTS } from '../evaluate/report.js';
import { TLS_OPTIONS } from './engine-options.js';
import { flag, httpUrl, integer, text } from './options.js';
import type { OptionTable, OptionValues } from './options.js';

export const EVAL_OPTIONS = {
  engine: {
    flag: 'engine',
    env: 'TWINRANK_EVAL_ENGINE',
    help: 'Address of the engine; it may hold credentials.',
    required: true,
    parse: httpUrl,
  },
  proxy: {
    flag: 'proxy',
    env: 'TWINRANK_EVAL_PROXY',
    help: 'Address of the rerank proxy.',
    required: true,
    parse: httpUrl,
  },
  index: { flag: 'index', env: 'TWINRANK_EVAL_INDEX', help: 'Index to search.', required: true, parse: text },
  queries: {
    flag: 'queries',
    env: 'TWINRANK_EVAL_QUERIES',
    help: 'Queries: JSON lines {"_id", "text"}, or id<TAB>text.',
    parse: text,
  },
  qrels: {
    flag: 'qrels',
    env: 'TWINRANK_EVAL_QRELS',
    help: 'Judgments: "query-id corpus-id score", or TREC.',
    parse: text,
  },
  beir: {
    flag: 'beir',
    env: 'TWINRANK_EVAL_BEIR',
    help: "Folder in BEIR's layout, in place of --queries and --qrels.",
    parse: text,
  },
  split: {
    flag: 'split',
    env: 'TWINRANK_EVAL_SPLIT',
    help: 'Which judgments of --beir: the name of a file in qrels/.',
    default: 'test',
    parse: text,
  },
  at: {
    flag: 'at',
    env: 'TWINRANK_EVAL_AT',
    help: 'Every metric at these cut-offs, separated by commas, such as 5,10,100.',
    parse: cutoffs,
  },
  metric: {
    flag: 'metric',
    env: 'TWINRANK_EVAL_METRIC',
    help: 'Metric that decides: orders are compared, the blend is tuned and --fail-if-worse is judged by it.',
    default: REPORT_DEFAULTS.deciding.name,
    parse: metricNamed,
  },
  folds: {
    flag: 'folds',
    env: 'TWINRANK_EVAL_FOLDS',
    help: 'Folds of the cross-validation that tunes the blend.',
    default: String(REPORT_DEFAULTS.folds),
    parse: integer(2, 100),
  },
  writeBlend: {
    flag: 'write-blend',
    env: null,
    help: 'Write the tuned weight into the index, if it is above the engine on held-out queries.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  failBelow: {
    flag: 'fail-below',
    env: 'TWINRANK_EVAL_FAIL_BELOW',
    help: 'Exit with 1 where twinrank is below METRIC@K=VALUE, such as nDCG@10=0.35; may be given several times.',
    many: true,
    parse: parseBar,
  },
  failIfWorse: {
    flag: 'fail-if-worse',
    env: 'TWINRANK_EVAL_FAIL_IF_WORSE',
    help: 'Exit with 1 where twinrank is below the engine and the interval is clear of zero.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  field: {
    flag: 'field',
    env: 'TWINRANK_EVAL_FIELD',
    help: 'Field to match; "title" where nothing else is given.',
    parse: text,
  },
  fields: {
    flag: 'fields',
    env: 'TWINRANK_EVAL_FIELDS',
    help: 'Fields to match at once (multi_match), separated by commas.',
    parse: fieldList,
  },
  bodyTemplate: {
    flag: 'body-template',
    env: 'TWINRANK_EVAL_BODY_TEMPLATE',
    help: 'File with a search body that has {{query}} inside a string.',
    parse: text,
  },
  size: {
    flag: 'size',
    env: 'TWINRANK_EVAL_SIZE',
    help: 'Hits of a search.',
    default: '100',
    parse: integer(1, 10_000),
  },
  excludeEqual: {
    flag: 'exclude-equal',
    env: 'TWINRANK_EVAL_EXCLUDE_EQUAL',
    help: 'Leave out hits whose text in this field equals the query.',
    parse: text,
  },
  limit: {
    flag: 'limit',
    env: 'TWINRANK_EVAL_LIMIT',
    help: 'Only so many queries, taken from the start of the file.',
    parse: integer(1, 1_000_000),
  },
  warmUp: {
    flag: 'warm-up',
    env: 'TWINRANK_EVAL_WARM_UP',
    help: 'Queries that are asked first and not counted.',
    default: '20',
    parse: integer(0, 10_000),
  },
  seed: {
    flag: 'seed',
    env: 'TWINRANK_EVAL_SEED',
    help: 'Seed of the order of queries and of the intervals.',
    default: '1',
    parse: integer(0, 4_294_967_295),
  },
  html: {
    flag: 'html',
    env: 'TWINRANK_EVAL_HTML',
    help: 'Also write the report as an HTML file, with charts and the best and worst queries.',
    parse: text,
  },
  titleField: {
    flag: 'title-field',
    env: 'TWINRANK_EVAL_TITLE_FIELD',
    help: 'Field that the HTML report shows of a hit; the first one searched, if not given.',
    parse: text,
  },
  json: {
    flag: 'json',
    env: null,
    help: 'The report as one JSON document.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  ...TLS_OPTIONS,
} satisfies OptionTable;

export type EvalValues = OptionValues<typeof EVAL_OPTIONS>;

function fieldList(value: string): readonly string[] {
  const fields = value.split(',').map((field) => field.trim());
  if (fields.some((field) => field === ''))
    throw new Error('expected fields separated by commas, such as title,body.');
  return fields;
}

function cutoffs(value: string): readonly number[] {
  const found = value.split(',').map((part) => integer(1, 10_000)(part.trim()));
  return [...new Set(found)].sort((a, b) => a - b);
}
