/** Options of `twinrank reindex`, and which of them contradict each other. */
import { resolve } from 'node:path';
import { TwinrankError } from '../errors.js';
import { ADMIN_TOKEN_OPTIONS } from './admin-token.js';
import { TLS_OPTIONS } from './engine-options.js';
import { MODEL_OPTIONS } from './model-options.js';
import {
  flag,
  httpUrl,
  integer,
  listenAddress,
  text,
  type OptionTable,
  type OptionValues,
} from './options.js';

export const REINDEX_OPTIONS = {
  to: {
    flag: 'to',
    env: 'OPENSEARCH_URL',
    help: 'Address of the engine; it may hold credentials.',
    required: true,
    parse: httpUrl,
  },
  index: {
    flag: 'index',
    env: 'TWINRANK_REINDEX_INDEX',
    help: 'Index, alias, data stream or expression whose documents get vectors.',
    required: true,
    parse: text,
  },
  admin: {
    flag: 'admin',
    env: 'TWINRANK_REINDEX_ADMIN',
    help: 'Where to answer /health/live and /metrics while the reindex runs; nowhere if left out.',
    parse: listenAddress,
  },
  ...ADMIN_TOKEN_OPTIONS,
  dest: {
    flag: 'dest',
    env: 'TWINRANK_REINDEX_DEST',
    help: 'Copy into this new index instead of in place.',
    parse: text,
  },
  swap: {
    flag: 'swap',
    env: 'TWINRANK_REINDEX_SWAP',
    help: 'Alias to move to the new index at the end. Needs --dest; the source takes no writes from shortly before.',
    parse: text,
  },
  deleteSource: {
    flag: 'delete-source',
    env: null,
    help: 'Delete the source index in the same step as the swap.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  all: {
    flag: 'all',
    env: null,
    help: 'Encode every document again, be its vector fresh or not.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  dryRun: {
    flag: 'dry-run',
    env: null,
    help: 'Count what would be done and estimate the time; write nothing.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  only: {
    flag: 'only',
    env: null,
    help: 'Only the documents that this failures file names.',
    parse: text,
  },
  failures: {
    flag: 'failures',
    env: 'TWINRANK_REINDEX_FAILURES',
    help: 'File for the documents that failed; --only takes it again.',
    parse: text,
  },
  docsPerSecond: {
    flag: 'docs-per-second',
    env: 'TWINRANK_REINDEX_DOCS_PER_SECOND',
    help: 'Most documents written a second, by this process.',
    parse: integer(1, 1_000_000),
  },
  bytesPerSecond: {
    flag: 'bytes-per-second',
    env: 'TWINRANK_REINDEX_BYTES_PER_SECOND',
    help: 'Most bytes written a second, by this process.',
    parse: integer(1_000, 10_000_000_000),
  },
  batch: {
    flag: 'batch',
    env: 'TWINRANK_REINDEX_BATCH',
    help: 'Most documents of one read and write.',
    default: '500',
    parse: integer(1, 10_000),
  },
  sliceDocuments: {
    flag: 'slice-documents',
    env: 'TWINRANK_REINDEX_SLICE_DOCUMENTS',
    help: 'About how many documents a worker claims at once.',
    default: '50000',
    parse: integer(1, 100_000_000),
  },
  slicesAtOnce: {
    flag: 'slices-at-once',
    env: 'TWINRANK_REINDEX_SLICES_AT_ONCE',
    help: 'Slices that this process works on at once.',
    default: '2',
    parse: integer(1, 64),
  },
  lease: {
    flag: 'lease',
    env: 'TWINRANK_REINDEX_LEASE',
    help: 'Milliseconds without a sign of life after which a slice is taken over from another worker.',
    default: '30000',
    parse: integer(1_000, 3_600_000),
  },
  passes: {
    flag: 'passes',
    env: 'TWINRANK_REINDEX_PASSES',
    help: 'Passes over the index after which it is given up; the last one verifies.',
    default: '5',
    parse: integer(2, 100),
  },
  patience: {
    flag: 'patience',
    env: 'TWINRANK_REINDEX_PATIENCE',
    help: 'Milliseconds for which an engine that is away is waited for.',
    default: '300000',
    parse: integer(0, 86_400_000),
  },
  json: {
    flag: 'json',
    env: null,
    help: 'Progress and summary as JSON lines.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  ...MODEL_OPTIONS,
  ...TLS_OPTIONS,
} satisfies OptionTable;

export type ReindexValues = OptionValues<typeof REINDEX_OPTIONS>;

/** Throws `bad_config` for combinations that cannot be meant. */
export function refuseContradictions(values: ReindexValues): void {
  const refuse = (message: string): never => {
    throw new TwinrankError('bad_config', message);
  };
  const { dest, swap, deleteSource, dryRun, only, failures } = values;
  if (swap !== undefined && dest === undefined)
    refuse('--swap needs --dest: it moves an alias to the new index.');
  if (deleteSource && swap === undefined)
    refuse('--delete-source belongs to --swap: the source goes when the alias has moved.');
  if (only !== undefined && dryRun) refuse('--only and --dry-run contradict each other.');
  if (only !== undefined && swap !== undefined)
    refuse('--only works on single documents; a swap needs the whole index.');
  if (only !== undefined && failures !== undefined && resolve(only) === resolve(failures))
    refuse('--only and --failures name the same file; give --failures another name.');
}
