/** Jobs over slices that are numbers only: a source whose documents are fresh or not, without an engine. */
import { TwinrankError } from '../../../src/errors.js';
import type { DocumentStore } from '../../../src/ingest/reindex/jobs/document-store.js';
import type { Job, JobSpec } from '../../../src/ingest/reindex/jobs/job.js';
import { createPatience } from '../../../src/ingest/reindex/jobs/patience.js';
import type { PassPlan, ReindexWork, SliceOrder } from '../../../src/ingest/reindex/jobs/work.js';
import { createWorker, type Worker } from '../../../src/ingest/reindex/jobs/worker.js';
import { NO_COUNTS, type SliceCounts } from '../../../src/ingest/reindex/slice.js';

export const SPEC: JobSpec = {
  index: 'books',
  dest: null,
  swap: null,
  deleteSource: false,
  all: false,
  passes: 5,
  model: 'a-model',
  fingerprint: '0123456789abcdef',
  textFields: ['title'],
};

export function away(): TwinrankError {
  return new TwinrankError('upstream_unreachable', 'The engine cannot be reached.');
}

export function counts(some: Partial<SliceCounts>): SliceCounts {
  return { ...NO_COUNTS, ...some };
}

export function jobAt(change: Partial<Job>): Job {
  return {
    spec: SPEC,
    run: 1,
    state: 'running',
    reason: null,
    pass: 1,
    passStarted: '2026-01-01T00:00:00.000Z',
    closed: false,
    finishing: false,
    blocked: [],
    slices: [],
    documents: 0,
    history: [],
    created: '2026-01-01T00:00:00.000Z',
    updated: '2026-01-01T00:00:00.000Z',
    write: 'w',
    ...change,
  };
}

/** A source of documents, number i of shard i / 10 with `_seq_no` i % 10; shared by the workers on it. */
export class FakeSource implements ReindexWork {
  readonly stale: Set<number>;
  readonly #size: number;
  /** What was done, in order. */
  readonly log: string[] = [];
  readonly blockedNow = new Set<string>();
  /** Documents that can never be written. */
  readonly broken = new Set<number>();
  refusal: string | null = null;
  /** Runs before each document. */
  onDocument: (document: number, order: SliceOrder) => Promise<void> | void = () => undefined;

  constructor(size: number) {
    this.#size = size;
    this.stale = new Set(Array.from({ length: size }, (_, i) => i));
  }

  plan(): Promise<PassPlan> {
    const shards = Math.ceil(this.#size / 10);
    const slices = Array.from({ length: shards }, (_, shard) => ({
      index: 'books',
      shard,
      from: 0,
      to: Math.min(10, this.#size - shard * 10),
    }));
    return Promise.resolve({ slices, documents: this.#size });
  }

  async runSlice(order: SliceOrder): Promise<{ cursor: number; counts: SliceCounts }> {
    const { range, from, checkpoint, signal } = order;
    let progress = from;
    for (let seqNo = from.cursor; seqNo < range.to; seqNo++) {
      signal.throwIfAborted();
      const document = range.shard * 10 + seqNo;
      await this.onDocument(document, order);
      signal.throwIfAborted();
      const fate = this.broken.has(document) ? 'failed' : this.stale.delete(document) ? 'written' : 'fresh';
      const { counts: before } = progress;
      const after = { ...before, documents: before.documents + 1, [fate]: before[fate] + 1 };
      progress = { cursor: seqNo + 1, counts: after };
      await checkpoint(progress);
    }
    return progress;
  }

  passBegins(resumed: boolean): Promise<void> {
    this.log.push(resumed ? 'pass resumed' : 'pass');
    return Promise.resolve();
  }

  open(): Promise<readonly string[]> {
    return Promise.resolve(this.blockedNow.has('books') ? [] : ['books']);
  }

  block(indices: readonly string[], _signal: AbortSignal): Promise<void> {
    this.log.push('block');
    for (const index of indices) this.blockedNow.add(index);
    return Promise.resolve();
  }

  unblock(indices: readonly string[]): Promise<void> {
    for (const index of indices) this.blockedNow.delete(index);
    if (indices.length > 0) this.log.push('unblock');
    return Promise.resolve();
  }

  finish(isClosed: boolean): Promise<string | null> {
    this.log.push(isClosed ? 'finish closed' : 'finish');
    return Promise.resolve(this.refusal);
  }
}

export function workerOn(
  store: DocumentStore,
  work: ReindexWork,
  options: { readonly owner?: string; readonly leaseMs?: number; readonly patienceMs?: number } = {},
): Worker {
  const { owner = 'worker-1', leaseMs = 200, patienceMs = 60_000 } = options;
  const patiently = createPatience({ patienceMs, firstDelayMs: 1, maxDelayMs: 5 });
  return createWorker({ store, work, patiently }, { owner, leaseMs, slicesAtOnce: 2 });
}

export const never = new AbortController().signal;
