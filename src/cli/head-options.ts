/** Options of `twinrank head train`, and what of them contradicts. */
import { TwinrankError } from '../errors.js';
import { MOST_FOLDS } from '../evaluate/head/training-rows.js';
import { TLS_OPTIONS } from './engine-options.js';
import { MODEL_OPTIONS } from './model-options.js';
import { flag, httpUrl, integer, text, type OptionTable, type OptionValues } from './options.js';

export const HEAD_OPTIONS = {
  pairs: {
    flag: 'pairs',
    env: 'TWINRANK_HEAD_PAIRS',
    help: 'Labelled pairs: text_a, text_b, label (1 similar, 0 not), as .tsv, .csv or .jsonl, also .gz.',
    parse: text,
  },
  queries: {
    flag: 'queries',
    env: 'TWINRANK_HEAD_QUERIES',
    help: 'Instead of pairs: judged queries, JSON lines {"_id", "text"}, or id<TAB>text.',
    parse: text,
  },
  qrels: {
    flag: 'qrels',
    env: 'TWINRANK_HEAD_QRELS',
    help: 'Judgments of the queries: "query-id corpus-id score", or TREC.',
    parse: text,
  },
  index: {
    flag: 'index',
    env: 'TWINRANK_HEAD_INDEX',
    help: 'Index that holds the judged documents.',
    parse: text,
  },
  to: { flag: 'to', env: 'OPENSEARCH_URL', help: 'Address of its engine.', parse: httpUrl },
  text: {
    flag: 'text',
    env: 'TWINRANK_HEAD_TEXT',
    help: "Field whose text is encoded; may be given several times. From the index's settings if left out.",
    many: true,
    parse: text,
  },
  fields: {
    flag: 'fields',
    env: 'TWINRANK_HEAD_FIELDS',
    help: 'Fields that are searched for negatives, separated by commas; those that are encoded if left out.',
    parse: text,
  },
  negatives: {
    flag: 'negatives',
    env: 'TWINRANK_HEAD_NEGATIVES',
    help: 'Documents of grade 0 a query should have; hits that nobody judged fill up.',
    default: '100',
    parse: integer(1, 1_000),
  },
  relevantFrom: {
    flag: 'relevant-from',
    env: 'TWINRANK_HEAD_RELEVANT_FROM',
    help: 'Grade from which a document counts as similar for the probabilities.',
    default: '1',
    parse: integer(1, 1_000),
  },
  out: {
    flag: 'out',
    env: 'TWINRANK_HEAD_OUT',
    help: 'Folder of the new bundle; it must not exist.',
    required: true,
    parse: text,
  },
  name: {
    flag: 'name',
    env: 'TWINRANK_HEAD_NAME',
    help: "Name of the new bundle; the old one's with -trained behind it if left out.",
    parse: text,
  },
  cache: {
    flag: 'cache',
    env: 'TWINRANK_HEAD_CACHE',
    help: 'File that keeps the vectors of the texts for the next training.',
    parse: text,
  },
  strength: {
    flag: 'strength',
    env: 'TWINRANK_HEAD_STRENGTH',
    help: 'How hard the head is held to the plain distance; chosen by cross-validation if left out.',
    parse: positive,
  },
  folds: {
    flag: 'folds',
    env: 'TWINRANK_HEAD_FOLDS',
    help: 'Folds of the cross-validation.',
    default: '5',
    parse: integer(2, MOST_FOLDS),
  },
  seed: {
    flag: 'seed',
    env: 'TWINRANK_HEAD_SEED',
    help: 'Seed of folds and intervals.',
    default: '1',
    parse: integer(0, 4_294_967_295),
  },
  force: {
    flag: 'force',
    env: null,
    help: 'Write the learned head though it is not better than the plain distance beyond noise.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  json: {
    flag: 'json',
    env: null,
    help: 'The report as one JSON document.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  model: MODEL_OPTIONS.model,
  workers: MODEL_OPTIONS.workers,
  threads: MODEL_OPTIONS.threads,
  ...TLS_OPTIONS,
} satisfies OptionTable;

export type HeadValues = OptionValues<typeof HEAD_OPTIONS>;

/** What is trained on, once the options agree. */
export type HeadSource =
  | { readonly kind: 'pairs'; readonly file: string }
  | {
      readonly kind: 'queries';
      readonly queries: string;
      readonly qrels: string;
      readonly index: string;
      readonly to: URL;
    };

/** Throws `bad_config` unless either pairs or all of the options of queries are given. */
export function headSource({ pairs, queries, qrels, index, to }: HeadValues): HeadSource {
  const refuse = (what: string) => new TwinrankError('bad_config', what);
  if (pairs !== undefined) {
    if (queries !== undefined || qrels !== undefined || index !== undefined)
      throw refuse('--pairs goes without --queries, --qrels and --index: train from one or the other.');
    return { kind: 'pairs', file: pairs };
  }
  if (queries === undefined && qrels === undefined)
    throw refuse('Give --pairs FILE, or --queries FILE --qrels FILE --index NAME --to URL.');
  if (queries === undefined || qrels === undefined || index === undefined || to === undefined)
    throw refuse('Training from judgments needs all of --queries, --qrels, --index and --to.');
  return { kind: 'queries', queries, qrels, index, to };
}

function positive(value: string): number {
  const n = Number(value);
  if (!(n > 0 && n < 1e6)) throw new Error(`expected a number above 0, got "${value}".`);
  return n;
}
