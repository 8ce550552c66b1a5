/**
 * Measures a bundle on this machine: how many titles a second, how long one query, by workers, threads and size of
 * batch. The texts are the bundle's own golden texts over and over, since they are what it is made for; nothing
 * remembers vectors here, so each costs an encode.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bundle } from './bundle.js';
import { createEncoderPool, type EncoderPool } from './encoder-pool.js';
import { DOCUMENT_BATCH_TOKENS } from './pool-size.js';

/** Threads by workers, as the options of the services have them. */
export interface BenchSize {
  readonly workers: number;
  readonly threads: number;
}

export interface ThroughputRow extends BenchSize {
  /** Count x longest of a batch, for each thread. */
  readonly batchTokensPerThread: number;
  readonly titlesPerSecond: number;
  /** Without padding. */
  readonly tokensPerSecond: number;
}

export interface LatencyRow {
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly queries: number;
}

export interface BenchPlan {
  /** Each is measured with batches of the usual size; the fastest then with those of batchTokensPerThread too. */
  readonly sizes: readonly BenchSize[];
  readonly batchTokensPerThread: readonly number[];
  /** For one query: threads of the one worker. */
  readonly threads: readonly number[];
  /** How long each measurement lasts. */
  readonly milliseconds: number;
}

export interface BenchResult {
  readonly throughput: readonly ThroughputRow[];
  readonly latency: readonly LatencyRow[];
  /** Of the texts used. */
  readonly meanTokens: number;
}

/** What the services use for each thread. */
const USUAL_TOKENS = DOCUMENT_BATCH_TOKENS;
const LONGEST_TITLE = 64;
const TEXTS_A_CALL = 16;
const FEEDERS_A_WORKER = 8;
const LEAST_QUERIES = 20;
/** A start of a pool takes about this long; counted so that the whole keeps to its time. */
const START_MS = 700;
/** Fewer threads win unless more are better by this share: they leave room for others. */
const WORTH = 0.03;

/** What is measured on so many cores in about so many seconds. */
export function benchPlan(cores: number, seconds: number): BenchPlan {
  const usable = Math.max(1, Math.floor(cores));
  const threads = [1, 2, 4, 8].filter((count) => count <= usable);
  const sizes = [
    { workers: 1, threads: 1 },
    ...threads.map((count) => ({ workers: Math.floor(usable / count), threads: count })),
  ].filter(
    (size, i, all) => i === all.findIndex((s) => s.workers === size.workers && s.threads === size.threads),
  );
  const batchTokensPerThread = [USUAL_TOKENS / 4, USUAL_TOKENS * 4];
  const measurements = sizes.length + batchTokensPerThread.length + threads.length;
  const milliseconds = Math.max(300, Math.round((1000 * seconds) / measurements) - START_MS);
  return { sizes, batchTokensPerThread, threads, milliseconds };
}

/** Runs the plan; `onStep` hears what is about to be measured. Rejects with `bad_bundle` and `cancelled`. */
export async function benchBundle(
  bundle: Bundle,
  plan: BenchPlan,
  onStep: (what: string) => void = () => undefined,
  signal?: AbortSignal,
): Promise<BenchResult> {
  const { texts, meanTokens } = titlesOf(bundle);
  const measured = async (size: BenchSize, batchTokensPerThread: number): Promise<ThroughputRow> => {
    const { workers, threads } = size;
    onStep(`titles: ${workers} x ${threads} threads, batches of ${batchTokensPerThread} tokens a thread`);
    const titlesPerSecond = await withPool(bundle, size, batchTokensPerThread, signal, (pool) =>
      titleRate(pool, texts, workers, plan.milliseconds),
    );
    return { ...size, batchTokensPerThread, titlesPerSecond, tokensPerSecond: titlesPerSecond * meanTokens };
  };
  const throughput: ThroughputRow[] = [];
  for (const size of plan.sizes) throughput.push(await measured(size, USUAL_TOKENS));
  const fastest = throughput.reduce((best, row) => (row.titlesPerSecond > best.titlesPerSecond ? row : best));
  const { workers, threads } = fastest;
  for (const tokens of plan.batchTokensPerThread)
    throughput.push(await measured({ workers, threads }, tokens));
  const latency: LatencyRow[] = [];
  for (const count of plan.threads) {
    onStep(`one query: ${count} threads`);
    const times = await withPool(bundle, { workers: 1, threads: count }, USUAL_TOKENS, signal, (pool) =>
      queryTimes(pool, texts, plan.milliseconds),
    );
    const [p50Ms, p95Ms] = [quantile(times, 0.5), quantile(times, 0.95)];
    latency.push({ threads: count, p50Ms, p95Ms, queries: times.length });
  }
  return { throughput, latency, meanTokens };
}

/** The rows to recommend: most titles a second, and shortest median of a query; fewer threads when it is a draw. */
export function recommend({ throughput, latency }: Pick<BenchResult, 'throughput' | 'latency'>) {
  const cores = (row: BenchSize): number => row.workers * row.threads;
  // How large a batch is, the services choose themselves.
  const usual = throughput.filter((row) => row.batchTokensPerThread === USUAL_TOKENS);
  const rate = Math.max(...usual.map((row) => row.titlesPerSecond));
  const [documents] = usual
    .filter((row) => row.titlesPerSecond >= rate * (1 - WORTH))
    .sort((a, b) => cores(a) - cores(b) || a.threads - b.threads || b.titlesPerSecond - a.titlesPerSecond);
  const shortest = Math.min(...latency.map((row) => row.p50Ms));
  const [queries] = latency
    .filter((row) => row.p50Ms <= shortest * (1 + WORTH))
    .sort((a, b) => a.threads - b.threads);
  return { documents, queries };
}

/** How many times as many titles and queries the second gives at its best, one after the other for queries. */
export function gain(first: BenchResult, second: BenchResult): { titles: number; query: number } {
  const rate = ({ throughput }: BenchResult): number =>
    Math.max(...throughput.map((row) => row.titlesPerSecond));
  const shortest = ({ latency }: BenchResult): number => Math.min(...latency.map((row) => row.p50Ms));
  return { titles: rate(second) / rate(first), query: shortest(first) / shortest(second) };
}

/** Value below which that share of the numbers lies (nearest rank); NaN without numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function titlesOf({ golden }: Bundle): { texts: string[]; meanTokens: number } {
  const short = golden.texts.filter(({ ids, text }) => text.trim() !== '' && ids.length <= LONGEST_TITLE);
  const chosen = short.length > 0 ? short : golden.texts;
  const tokens = chosen.reduce((sum, { ids }) => sum + ids.length, 0);
  return { texts: chosen.map(({ text }) => text), meanTokens: tokens / chosen.length };
}

async function withPool<T>(
  bundle: Bundle,
  { workers, threads }: BenchSize,
  batchTokensPerThread: number,
  signal: AbortSignal | undefined,
  measure: (pool: EncoderPool) => Promise<T>,
): Promise<T> {
  const pool = await createEncoderPool(bundle, {
    workers,
    threadsPerWorker: threads,
    maxQueuedTexts: FEEDERS_A_WORKER * TEXTS_A_CALL * workers,
    batchTokensPerThread,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const result = await measure(pool);
    signal?.throwIfAborted();
    return result;
  } finally {
    await pool.close(AbortSignal.abort());
  }
}

/** Keeps the queue filled and counts what comes out between two moments. */
async function titleRate(
  pool: EncoderPool,
  texts: readonly string[],
  workers: number,
  milliseconds: number,
): Promise<number> {
  let isOver = false;
  let next = 0;
  const take = (): string[] =>
    Array.from({ length: TEXTS_A_CALL }, () => texts[next++ % texts.length] as string);
  const feed = async (): Promise<void> => {
    while (!isOver) await pool.encode(take(), { kind: 'document' });
  };
  const feeders = Promise.all(Array.from({ length: FEEDERS_A_WORKER * workers }, feed));
  // A failure ends the measurement at once instead of being heard of at its end.
  const wait = (ms: number): Promise<unknown> => Promise.race([sleep(ms), feeders]);
  await wait(milliseconds / 5);
  const [begun, before] = [performance.now(), pool.stats().texts];
  // On a busy machine the time may be too short for a single batch; a rate of zero would say nothing.
  do await wait(milliseconds);
  while (pool.stats().texts === before);
  const [ended, after] = [performance.now(), pool.stats().texts];
  isOver = true;
  await feeders;
  return (1000 * (after - before)) / (ended - begun);
}

async function queryTimes(
  pool: EncoderPool,
  texts: readonly string[],
  milliseconds: number,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  for (let i = 0; times.length < LEAST_QUERIES || performance.now() < end; i++) {
    const begun = performance.now();
    await pool.encode([texts[i % texts.length] as string], { kind: 'query' });
    times.push(performance.now() - begun);
  }
  return times;
}
