/**
 * Writes documents through an engine's bulk API: bounded batches, bounded concurrency, a verdict per item.
 * What was refused for now is asked again with back-off; what may have been written already is asked again only
 * where that cannot do harm. It knows no HTTP client: `send` makes one request.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';
import { delayBefore, retryAfterMs } from './back-off.js';
import type { BackOff } from './back-off.js';
import { bulkBody, bytesOf, verdictsOf, verdictsOfBreak } from './bulk-batch.js';
import type { BulkAnswer, BulkOperation, Verdict } from './bulk-batch.js';

export type { BulkAnswer, BulkOperation } from './bulk-batch.js';

/** Throw this from `send` where no answer came; `sent` is false where the engine cannot have seen the request. */
export class BulkConnectionError extends Error {
  readonly sent: boolean;
  constructor(message: string, sent: boolean, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BulkConnectionError';
    this.sent = sent;
  }
}

export interface BulkWriterOptions extends BackOff {
  /** Bounds of a request; a single document above `batchBytes` still goes, alone. */
  readonly batchDocuments: number;
  readonly batchBytes: number;
  /** Requests under way at once. */
  readonly concurrency: number;
}

export interface BulkFailure<Origin> {
  readonly origin: Origin;
  readonly status: number | null;
  readonly reason: string;
}

export interface BulkWriterDeps<Origin> {
  /** Makes one request, never repeats it by itself. */
  readonly send: (body: Buffer, signal: AbortSignal) => Promise<BulkAnswer>;
  /** Called once for each document that was given up. */
  readonly onFailure: (failure: BulkFailure<Origin>) => void;
  /** Source of jitter in [0, 1). */
  readonly random?: () => number;
}

export interface BulkStatistics {
  /** Documents that the engine confirmed. */
  readonly documents: number;
  /** Bytes of bulk requests, action lines and repetitions included. */
  readonly bytes: number;
  readonly failed: number;
  /** Documents that were sent again, counted each time. */
  readonly retried: number;
  readonly requests: number;
  readonly seconds: number;
}

export interface BulkWriter<Origin> {
  /**
   * Writes all operations and resolves when each has its verdict. Rejects with `cancelled` when the signal fires and
   * with `upstream_answer` when the engine refuses the caller (401, 403) or its answer is none of a bulk API.
   */
  write(operations: AsyncIterable<BulkOperation<Origin>>, signal: AbortSignal): Promise<void>;
  statistics(): BulkStatistics;
}

export function createBulkWriter<Origin>(
  deps: BulkWriterDeps<Origin>,
  options: BulkWriterOptions,
): BulkWriter<Origin> {
  const started = performance.now();
  const random = deps.random ?? Math.random;
  const count = { documents: 0, bytes: 0, failed: 0, retried: 0, requests: 0 };

  async function write(operations: AsyncIterable<BulkOperation<Origin>>, signal: AbortSignal): Promise<void> {
    // One failure of the whole stops every request under way.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    // Every request under way listens to it; Node warns of a leak from the eleventh on.
    setMaxListeners(options.concurrency * 2 + 10, both);
    const underWay = new Set<Promise<void>>();
    const keys = new Set<string>();
    let failure: { readonly error: unknown } | null = null;
    let batch: BulkOperation<Origin>[] = [];
    let batchBytes = 0;

    const start = async (): Promise<void> => {
      if (batch.length === 0) return;
      const ready = batch;
      batch = [];
      batchBytes = 0;
      while (underWay.size >= options.concurrency) await Promise.race(underWay);
      if (failure !== null) return;
      const task = settle(ready, both)
        .catch((error: unknown) => {
          failure ??= { error };
          stop.abort();
        })
        .finally(() => {
          underWay.delete(task);
          for (const { key } of ready) if (key !== null) keys.delete(key);
        });
      underWay.add(task);
    };

    try {
      for await (const operation of operations) {
        if (failure !== null || signal.aborted) break;
        const bytes = bytesOf(operation);
        if (operation.key !== null && keys.has(operation.key)) {
          // An earlier write of the same document must be settled first, its repetitions included.
          await start();
          await Promise.all(underWay);
        } else if (batch.length >= options.batchDocuments || batchBytes + bytes > options.batchBytes)
          await start();
        batch.push(operation);
        batchBytes += bytes;
        if (operation.key !== null) keys.add(operation.key);
      }
      if (!signal.aborted) await start();
    } catch (error) {
      // The source broke off. What is under way is sound and keeps its verdicts.
      failure ??= { error };
    }
    await Promise.all(underWay);
    const ended = failure as { readonly error: unknown } | null;
    if (signal.aborted)
      throw new TwinrankError('cancelled', 'The writing was stopped before its end.', {
        cause: ended?.error,
      });
    if (ended !== null) throw ended.error;
  }

  /** Resolves when every operation of a batch has its verdict. */
  async function settle(batch: readonly BulkOperation<Origin>[], signal: AbortSignal): Promise<void> {
    let open = batch;
    for (let attempt = 0; open.length > 0; attempt++) {
      const answer = await ask(open, signal);
      if (answer === 'too large') {
        const half = Math.ceil(open.length / 2);
        await settle(open.slice(0, half), signal);
        await settle(open.slice(half), signal);
        return;
      }
      const lastTry = attempt >= options.retries;
      const again: BulkOperation<Origin>[] = [];
      open.forEach((operation, i) => {
        const verdict = answer.verdicts[i];
        if (verdict === undefined) return;
        if (verdict.kind === 'written') count.documents++;
        else if (verdict.kind === 'again' && !lastTry) again.push(operation);
        else giveUp(operation, verdict, verdict.kind === 'again' ? ` (tried ${attempt + 1} times)` : '');
      });
      open = again;
      if (open.length === 0) return;
      count.retried += open.length;
      await sleep(delayBefore(attempt, answer.retryAfter, options, random), undefined, { signal });
    }
  }

  async function ask(
    batch: readonly BulkOperation<Origin>[],
    signal: AbortSignal,
  ): Promise<'too large' | { readonly verdicts: Verdict[]; readonly retryAfter: number | null }> {
    const body = bulkBody(batch);
    count.requests++;
    count.bytes += body.length;
    let answer: BulkAnswer;
    try {
      answer = await deps.send(body, signal);
    } catch (error) {
      if (!(error instanceof BulkConnectionError)) throw error;
      return { verdicts: verdictsOfBreak(batch, error.message, error.sent), retryAfter: null };
    }
    if (answer.status === 413 && batch.length > 1) return 'too large';
    const verdicts = verdictsOf(batch, answer);
    const first = verdicts[0];
    if ((answer.status === 401 || answer.status === 403) && first?.kind === 'failed') {
      throw new TwinrankError(
        'upstream_answer',
        `The engine refuses to write (${answer.status}): ${first.reason}`,
      );
    }
    return { verdicts, retryAfter: retryAfterMs(answer.retryAfter, Date.now()) };
  }

  function giveUp(
    operation: BulkOperation<Origin>,
    verdict: Exclude<Verdict, { kind: 'written' }>,
    note: string,
  ): void {
    count.failed++;
    deps.onFailure({ origin: operation.origin, status: verdict.status, reason: verdict.reason + note });
  }

  return {
    write,
    statistics: () => ({ ...count, seconds: (performance.now() - started) / 1000 }),
  };
}
