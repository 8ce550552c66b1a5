/** Options of everything that runs the model, and its start. */
import { availableParallelism } from 'node:os';
import { loadBundle, type Bundle } from '../model/bundle.js';
import { defaultBundleFolder } from '../model/default-bundle.js';
import { createEncoderPool, type EncodedBatch, type EncoderPool } from '../model/encoder-pool.js';
import { prepareEncoder } from '../model/int8-cache.js';
import { defaultPoolSize, type PoolSize } from '../model/pool-size.js';
import { PRECISIONS, withPrecision, type Precision } from '../model/precision.js';
import { cacheFolder } from './cache-folder.js';
import { flag, integer, oneOf, text, type OptionTable } from './options.js';

const PRECISION_OPTION = {
  precision: {
    flag: 'precision',
    env: 'TWINRANK_PRECISION',
    help: 'fp32, or int8: faster, with vectors of its own; see "twinrank model bench".',
    default: 'fp32',
    parse: oneOf(...PRECISIONS),
  },
} satisfies OptionTable;

/** Options of the commands that look at one bundle. */
export const BUNDLE_OPTIONS = {
  model: {
    flag: 'model',
    env: 'TWINRANK_MODEL',
    help: 'Folder of the bundle where none is named; the one that comes with twinrank if left out.',
    parse: text,
  },
  json: { flag: 'json', env: null, help: 'Print JSON.', default: 'false', boolean: true, parse: flag },
} satisfies OptionTable;

/** The same, for those that start it. */
export const STARTED_BUNDLE_OPTIONS = { ...BUNDLE_OPTIONS, ...PRECISION_OPTION } satisfies OptionTable;

export const MODEL_OPTIONS = {
  model: {
    flag: 'model',
    env: 'TWINRANK_MODEL',
    help: 'Folder of the model bundle; the one that comes with twinrank if left out.',
    parse: text,
  },
  ...PRECISION_OPTION,
  workers: {
    flag: 'workers',
    env: 'TWINRANK_WORKERS',
    help: 'Inference threads; chosen from the cores if left out.',
    parse: integer(1, 256),
  },
  threads: {
    flag: 'threads-per-worker',
    env: 'TWINRANK_THREADS_PER_WORKER',
    help: 'Threads that share one inference; chosen from the cores if left out.',
    parse: integer(1, 64),
  },
  queue: {
    flag: 'queue',
    env: 'TWINRANK_QUEUE',
    help: 'Texts that may wait for the model before requests are answered without it.',
    default: '4096',
    parse: integer(1, 1_000_000),
  },
} satisfies OptionTable;

/** The bundle that the option names, verified, with the precision wanted: fp32 where the command has no choice. */
export async function bundleOf(values: BundleValues): Promise<Bundle> {
  const bundle = await loadBundle(values.model ?? defaultBundleFolder());
  return withPrecision(bundle, values.precision ?? 'fp32');
}

/** The bundle in a folder named on the command line, or else the one that the option names, verified. */
export function bundleAt(folder: string | undefined, values: BundleValues): Promise<Bundle> {
  return bundleOf({ ...values, model: folder ?? values.model });
}

interface BundleValues {
  readonly model: string | undefined;
  readonly precision?: Precision;
}

/** The bundle with an encoder of its precision, which may have to be made first; see prepareEncoder. */
export function prepared(bundle: Bundle): Promise<Bundle> {
  return prepareEncoder(bundle, cacheFolder());
}

/**
 * Starts the model with the workers and threads that the user names, or else those of `size`. Without a queue it has
 * the pool's own.
 */
export async function startEncoder(
  bundle: Bundle,
  { workers, threads, queue }: EncoderValues,
  size: PoolSize,
  signal: AbortSignal,
  onBatch?: (batch: EncodedBatch) => void,
): Promise<EncoderPool> {
  return createEncoderPool(await prepared(bundle), {
    workers: workers ?? size.workers,
    threadsPerWorker: threads ?? size.threadsPerWorker,
    niceness: size.niceness,
    batchTokensPerThread: size.batchTokensPerThread,
    ...(queue === undefined ? {} : { maxQueuedTexts: queue }),
    ...(onBatch === undefined ? {} : { onBatch }),
    signal,
  });
}

interface EncoderValues {
  readonly workers: number | undefined;
  readonly threads: number | undefined;
  readonly queue?: number;
}

/** Workers and threads for a purpose, where the user names none. */
export function poolSize(purpose: 'query' | 'document'): PoolSize {
  return defaultPoolSize(purpose, availableParallelism());
}
