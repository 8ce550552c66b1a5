/**
 * The encoder that the services use: worker threads that each hold the model, fed from one bounded queue.
 * A batch is chosen when a thread becomes free and never before, so a query that arrives waits for at most one
 * batch; batches are small so that this is short. With each batch some of the waiting documents are tokenised, so
 * that those of equal length are found for the next ones and little is padded. A thread that dies is replaced and its texts tried once more.
 */
import { performance } from 'node:perf_hooks';
import { TwinrankError } from '../errors.js';
import type { Bundle } from './bundle.js';
import { badBundle } from './bundle.js';
import type { EncodeOptions, Encoder } from './encoder.js';
import { goldenMismatch } from './golden.js';
import type { QueuedText } from './job-queue.js';
import { JobQueue } from './job-queue.js';
import { QUERY_BATCH_TOKENS } from './pool-size.js';
import type { WorkerSetup } from './worker-protocol.js';
import { workerSetupOf } from './worker-setup.js';
import type { StartThread } from './worker-thread.js';
import { WorkerThread, startEncoderThread } from './worker-thread.js';

export interface EncoderPoolOptions {
  readonly workers: number;
  readonly threadsPerWorker: number;
  /** Texts that may wait; beyond it encode() rejects with `overloaded`. */
  readonly maxQueuedTexts?: number;
  /** Count x longest of one batch, in tokens for each thread; that of queries where it is left out. */
  readonly batchTokensPerThread?: number;
  /** How many waiting texts are looked at to find some of like length. */
  readonly lookAhead?: number;
  /** 0 to 19: how much the threads yield to the rest of the machine; see lowerThreadPriority. */
  readonly niceness?: number;
  /** Ends the start early with `cancelled`; later it has no effect. */
  readonly signal?: AbortSignal;
  /** Told of each batch that was encoded. */
  readonly onBatch?: (batch: EncodedBatch) => void;
}

/** What one batch was and took. */
export interface EncodedBatch {
  readonly texts: number;
  /** Count x longest, as the worker padded it. */
  readonly paddedTokens: number;
  readonly ms: number;
}

export interface EncoderPoolStats {
  readonly queued: number;
  /** How many may wait. */
  readonly maxQueued: number;
  /** Texts that were not taken since too many waited. */
  readonly refused: number;
  readonly inFlight: number;
  /** Threads that are ready. */
  readonly workers: number;
  readonly restarts: number;
  readonly batches: number;
  readonly texts: number;
  readonly paddedTokens: number;
}

export interface EncoderPool extends Encoder {
  stats(): EncoderPoolStats;
  /**
   * Takes no more texts, finishes those that wait, then ends the threads. When `signal` aborts, what still
   * waits is rejected with `cancelled`. Later calls give the same promise.
   */
  close(signal?: AbortSignal): Promise<void>;
}

const MAX_QUEUED_TEXTS = 4096;
/** From fewer waiting texts of known length a batch of 320 tokens would be chosen with 6 % more padding. */
const LOOK_AHEAD = 1024;
/** Waiting documents that a batch brings to be tokenised, some milliseconds of work. */
const MEASURED_AT_ONCE = 256;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/**
 * Starts the threads; resolves when each has loaded the model and agrees with the golden examples. Rejects with
 * `bad_bundle` when one cannot or does not, and with `cancelled`.
 */
export async function createEncoderPool(
  bundle: Bundle,
  options: EncoderPoolOptions,
  startThread: StartThread = startEncoderThread,
): Promise<EncoderPool> {
  const pool = new WorkerPool(bundle, options, startThread);
  await pool.start(options.workers, options.signal);
  return pool;
}

class WorkerPool implements EncoderPool {
  readonly dimensions: number;
  readonly fingerprint: string;
  readonly #bundle: Bundle;
  readonly #setup: WorkerSetup;
  readonly #startThread: StartThread;
  readonly #queue: JobQueue;
  readonly #maxQueued: number;
  readonly #onBatch: ((batch: EncodedBatch) => void) | undefined;
  readonly #threads = new Set<WorkerThread>();
  readonly #starting = new Set<WorkerThread>();
  readonly #idle: WorkerThread[] = [];
  readonly #counts = { inFlight: 0, restarts: 0, batches: 0, texts: 0, paddedTokens: 0 };
  /** Why no thread can be had at the moment, or null. */
  #outage: TwinrankError | null = null;
  readonly #retries = new Set<NodeJS.Timeout>();
  #closing: Promise<void> | null = null;
  #isCancelled = false;
  #onDrained: () => void = () => undefined;

  constructor(bundle: Bundle, options: EncoderPoolOptions, startThread: StartThread) {
    this.dimensions = bundle.dimensions;
    this.fingerprint = bundle.fingerprint;
    this.#bundle = bundle;
    this.#setup = workerSetupOf(bundle, options.threadsPerWorker, options.niceness ?? 0);
    this.#startThread = startThread;
    this.#maxQueued = options.maxQueuedTexts ?? MAX_QUEUED_TEXTS;
    this.#onBatch = options.onBatch;
    this.#queue = new JobQueue({
      maxQueuedTexts: this.#maxQueued,
      paddedTokens: (options.batchTokensPerThread ?? QUERY_BATCH_TOKENS) * options.threadsPerWorker,
      lookAhead: options.lookAhead ?? LOOK_AHEAD,
      maxTokens: bundle.manifest.maxTokens,
    });
  }

  async start(workers: number, signal?: AbortSignal): Promise<void> {
    const giveUp = () => void this.#stopThreads();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      signal?.throwIfAborted();
      await Promise.all(Array.from({ length: workers }, () => this.#addThread()));
      // A thread that is told to end still finishes loading first.
      signal?.throwIfAborted();
    } catch (error) {
      await this.#stopThreads();
      if (signal?.aborted !== true) throw error;
      throw new TwinrankError('cancelled', 'The start of the encoder was cancelled.', { cause: error });
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array[]> {
    if (this.#closing !== null) {
      return Promise.reject(new TwinrankError('not_ready', 'The encoder is shutting down.'));
    }
    if (this.#outage !== null) return Promise.reject(this.#outage);
    const vectors = this.#queue.add(texts, options);
    this.#feed();
    return vectors;
  }

  stats(): EncoderPoolStats {
    const { size: queued, refused } = this.#queue;
    return { ...this.#counts, queued, refused, maxQueued: this.#maxQueued, workers: this.#threads.size };
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(signal);
    return this.#closing;
  }

  async #close(signal?: AbortSignal): Promise<void> {
    const cancel = () => {
      this.#isCancelled = true;
      this.#queue.failAll(new TwinrankError('cancelled', 'The encoder was shut down before this text.'));
      this.#onDrained();
    };
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
    if (!this.#isDrained() && !this.#isCancelled) {
      await new Promise<void>((resolve) => (this.#onDrained = resolve));
    }
    signal?.removeEventListener('abort', cancel);
    this.#isCancelled = true;
    await this.#stopThreads();
  }

  async #stopThreads(): Promise<void> {
    for (const retry of this.#retries) clearTimeout(retry);
    this.#isCancelled = true;
    await Promise.all([...this.#threads, ...this.#starting].map((thread) => thread.stop()));
  }

  #isDrained(): boolean {
    return this.#queue.size === 0 && this.#counts.inFlight === 0;
  }

  /** Gives every idle thread a batch. */
  #feed(): void {
    while (this.#idle.length > 0) {
      const batch = this.#queue.take();
      if (batch.length === 0) break;
      void this.#run(this.#idle.pop() as WorkerThread, batch);
    }
    if (this.#isDrained()) this.#onDrained();
  }

  async #run(thread: WorkerThread, batch: readonly QueuedText[]): Promise<void> {
    this.#counts.inFlight += batch.length;
    const began = performance.now();
    // Not beside a query, which somebody waits for.
    const next = batch[0]?.kind === 'query' ? [] : this.#queue.toMeasure(MEASURED_AT_ONCE);
    const outcome = await thread.run(batch, next);
    this.#counts.inFlight -= batch.length;
    if (outcome.type === 'encoded') {
      next.forEach((entry, i) => entry.setIds(outcome.nextIds[i] ?? null));
      this.#counts.batches++;
      this.#counts.texts += batch.length;
      this.#counts.paddedTokens += outcome.paddedTokens;
      const { paddedTokens } = outcome;
      this.#onBatch?.({ texts: batch.length, paddedTokens, ms: performance.now() - began });
      const { dimensions } = this;
      // A copy per text: whoever keeps one vector must not keep the whole batch in memory.
      batch.forEach((entry, i) => entry.settle(outcome.vectors.slice(i * dimensions, (i + 1) * dimensions)));
    } else {
      const error = this.#isCancelled
        ? new TwinrankError('cancelled', 'The encoder was shut down before this text was ready.')
        : new TwinrankError('encode_failed', `A text could not be encoded: ${outcome.message}`);
      if (this.#isCancelled) for (const entry of batch) entry.fail(error);
      else this.#queue.giveBack(batch, error);
    }
    if (outcome.type !== 'lost') this.#idle.push(thread);
    this.#feed();
  }

  /** Starts one thread and checks it; rejects with `bad_bundle`. */
  async #addThread(): Promise<void> {
    const thread = new WorkerThread(this.#startThread(this.#setup));
    this.#starting.add(thread);
    try {
      const mismatch = goldenMismatch(this.#bundle, await thread.ready());
      if (mismatch !== null) throw new Error(mismatch);
    } catch (error) {
      await thread.stop();
      throw badBundle(this.#bundle.folder, error instanceof Error ? error.message : String(error), error);
    } finally {
      this.#starting.delete(thread);
    }
    this.#threads.add(thread);
    this.#idle.push(thread);
    thread.onGone = () => this.#replace(thread);
    this.#outage = null;
    this.#feed();
  }

  #replace(thread: WorkerThread): void {
    this.#threads.delete(thread);
    const position = this.#idle.indexOf(thread);
    if (position >= 0) this.#idle.splice(position, 1);
    if (this.#isCancelled) return;
    this.#counts.restarts++;
    void this.#addThreadUntilItWorks(FIRST_RETRY_MS);
  }

  /** A thread that cannot be started again leaves the pool smaller; with none left, callers hear of it. */
  async #addThreadUntilItWorks(delayMs: number): Promise<void> {
    try {
      await this.#addThread();
    } catch (error) {
      if (this.#isCancelled) return;
      if (this.#threads.size === 0) {
        this.#outage = new TwinrankError('not_ready', 'No encoder thread can be started.', { cause: error });
        this.#queue.failAll(this.#outage);
        this.#feed();
      }
      const next = Math.min(2 * delayMs, LONGEST_RETRY_MS);
      const retry = setTimeout(() => {
        this.#retries.delete(retry);
        void this.#addThreadUntilItWorks(next);
      }, delayMs);
      this.#retries.add(retry);
    }
  }
}
