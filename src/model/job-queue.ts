/**
 * The texts that wait for a worker: bounded, queries ahead of documents, each caller free to leave. A job is
 * one call of encode(); its texts may end up in different batches and on different workers.
 */
import { TwinrankError } from '../errors.js';
import type { BatchLimits } from './batch.js';
import { chooseBatch, estimateTokens } from './batch.js';
import type { EncodeOptions, TextKind } from './encoder.js';
import type { TextIds } from './worker-protocol.js';

/** One waiting text; lives until its vector is there or its job has ended. */
export interface QueuedText {
  readonly text: string;
  readonly kind: TextKind;
  /** Estimated (see estimateTokens) until the ids are known. */
  readonly tokens: number;
  readonly ids: TextIds;
  /** Set when the ids were asked for: that is done once, since a text may make the tokeniser fail. */
  wasMeasured: boolean;
  setIds(ids: TextIds): void;
  /** Set when a worker died while it had this text; such a text is tried once more, alone. */
  wasLost: boolean;
  settle(vector: Float32Array): void;
  fail(error: TwinrankError): void;
  isDone(): boolean;
}

export interface QueueLimits extends BatchLimits {
  /** Texts that may wait; those on a worker do not count. */
  readonly maxQueuedTexts: number;
  /** Length limit of the model, for the estimates. */
  readonly maxTokens: number;
}

export class JobQueue {
  readonly #limits: QueueLimits;
  readonly #waiting: Record<TextKind, QueuedText[]> = { query: [], document: [] };
  #lost: QueuedText[] = [];
  /** Texts that were not taken since too many waited. */
  refused = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Texts that wait now. */
  get size(): number {
    return this.#lost.length + this.#waiting.query.length + this.#waiting.document.length;
  }

  /** Queues the texts of one caller; see Encoder.encode for the errors. */
  add(texts: readonly string[], { kind, signal }: EncodeOptions): Promise<Float32Array[]> {
    const refusal = this.#refusal(texts.length) ?? (signal?.aborted === true ? cancelled(signal) : null);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const job = new Job(texts.length, resolve, reject);
      for (const [index, text] of texts.entries()) {
        const tokens = estimateTokens(text, this.#limits.maxTokens);
        this.#waiting[kind].push(new JobText(job, index, text, kind, tokens));
      }
      if (signal !== undefined) this.#leaveOnAbort(job, kind, signal);
    });
  }

  /** Takes the next batch: lost texts one at a time, then queries, then documents; empty when none waits. */
  take(): QueuedText[] {
    this.#dropDone();
    const lost = this.#lost.shift();
    if (lost !== undefined) return [lost];
    const waiting = this.#waiting.query.length > 0 ? this.#waiting.query : this.#waiting.document;
    const window = waiting.slice(0, this.#limits.lookAhead);
    const chosen = new Set(
      chooseBatch(
        window.map((entry) => entry.tokens),
        this.#limits,
      ),
    );
    const batch = window.filter((_, position) => chosen.has(position));
    waiting.splice(0, window.length, ...window.filter((_, position) => !chosen.has(position)));
    return batch;
  }

  /**
   * Documents that are looked at for the next batches and whose ids are to be found out, at most `count`. They go on
   * waiting, and are not named again.
   */
  toMeasure(count: number): QueuedText[] {
    const measured: QueuedText[] = [];
    for (const entry of this.#waiting.document.slice(0, this.#limits.lookAhead)) {
      if (measured.length === count) break;
      if (entry.wasMeasured || entry.isDone()) continue;
      entry.wasMeasured = true;
      measured.push(entry);
    }
    return measured;
  }

  /** Takes back the texts of a batch whose worker died; those that were lost before fail. */
  giveBack(batch: readonly QueuedText[], reason: TwinrankError): void {
    for (const entry of batch) {
      if (entry.isDone()) continue;
      if (entry.wasLost) {
        entry.fail(reason);
        continue;
      }
      entry.wasLost = true;
      this.#lost.push(entry);
    }
  }

  /** Rejects everything that waits. */
  failAll(error: TwinrankError): void {
    const all = [...this.#lost, ...this.#waiting.query, ...this.#waiting.document];
    this.#lost = [];
    this.#waiting.query = [];
    this.#waiting.document = [];
    for (const entry of all) entry.fail(error);
  }

  #refusal(count: number): TwinrankError | null {
    const limit = this.#limits.maxQueuedTexts;
    if (count > limit) {
      return new TwinrankError(
        'body_too_large',
        `${count} texts were given to the encoder at once; its queue holds ${limit}. Send them in smaller groups or raise the queue limit.`,
      );
    }
    if (this.size + count <= limit) return null;
    this.refused += count;
    return new TwinrankError(
      'overloaded',
      `The encoder is overloaded: ${this.size} of at most ${limit} texts wait and ${count} more were given. Retry later or raise the queue limit.`,
    );
  }

  #leaveOnAbort(job: Job, kind: TextKind, signal: AbortSignal): void {
    const leave = () => {
      job.fail(cancelled(signal));
      this.#dropDone(kind);
    };
    signal.addEventListener('abort', leave, { once: true });
    job.onEnd = () => signal.removeEventListener('abort', leave);
  }

  #dropDone(kind?: TextKind): void {
    const waits = (entry: QueuedText) => !entry.isDone();
    this.#lost = this.#lost.filter(waits);
    if (kind !== 'document') this.#waiting.query = this.#waiting.query.filter(waits);
    if (kind !== 'query') this.#waiting.document = this.#waiting.document.filter(waits);
  }
}

function cancelled(signal: AbortSignal): TwinrankError {
  return new TwinrankError('cancelled', 'Encoding was cancelled by its caller.', { cause: signal.reason });
}

/** Collects the vectors of one call; ends once, with all of them or with the first error. */
class Job {
  readonly #vectors: Float32Array[];
  readonly #resolve: (vectors: Float32Array[]) => void;
  readonly #reject: (error: TwinrankError) => void;
  #missing: number;
  onEnd: () => void = () => undefined;
  isDone = false;

  constructor(
    count: number,
    resolve: (vectors: Float32Array[]) => void,
    reject: (error: TwinrankError) => void,
  ) {
    this.#vectors = new Array<Float32Array>(count);
    this.#missing = count;
    this.#resolve = resolve;
    this.#reject = reject;
    if (count === 0) this.#end(() => resolve([]));
  }

  settle(index: number, vector: Float32Array): void {
    if (this.isDone) return;
    this.#vectors[index] = vector;
    this.#missing--;
    if (this.#missing === 0) this.#end(() => this.#resolve(this.#vectors));
  }

  fail(error: TwinrankError): void {
    if (!this.isDone) this.#end(() => this.#reject(error));
  }

  #end(tell: () => void): void {
    this.isDone = true;
    this.onEnd();
    tell();
  }
}

class JobText implements QueuedText {
  readonly #job: Job;
  readonly #index: number;
  readonly text: string;
  readonly kind: TextKind;
  readonly #estimate: number;
  #ids: TextIds = null;
  wasMeasured = false;
  wasLost = false;

  constructor(job: Job, index: number, text: string, kind: TextKind, tokens: number) {
    this.#job = job;
    this.#index = index;
    this.text = text;
    this.kind = kind;
    this.#estimate = tokens;
  }

  get tokens(): number {
    return this.#ids?.length ?? this.#estimate;
  }

  get ids(): TextIds {
    return this.#ids;
  }

  setIds(ids: TextIds): void {
    this.#ids = ids;
  }

  settle(vector: Float32Array): void {
    this.#job.settle(this.#index, vector);
  }

  fail(error: TwinrankError): void {
    this.#job.fail(error);
  }

  isDone(): boolean {
    return this.#job.isDone;
  }
}
