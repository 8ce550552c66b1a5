/** A part of a pass while this worker holds it: its document is renewed until it is done, given back or lost. */
import { randomUUID } from 'node:crypto';
import { TwinrankError } from '../../../errors.js';
import type { SliceProgress } from '../slice.js';
import type { DocumentStore, DocumentVersion, JobDocument } from './document-store.js';
import { claimBody, parseClaim, type SliceClaim } from './job.js';
import type { Patiently } from './patience.js';

export interface LeaseOptions {
  readonly store: DocumentStore;
  readonly jobId: string;
  /** Of the part's document. */
  readonly id: string;
  readonly owner: string;
  readonly from: SliceProgress;
  /** The document that is replaced; undefined where there is none yet. */
  readonly version: DocumentVersion | undefined;
  /** The document is written at least this often, in milliseconds. */
  readonly renewMs: number;
  readonly patiently: Patiently;
  /** For the claim itself. */
  readonly signal: AbortSignal | undefined;
  readonly onWritten: (claim: SliceClaim, version: DocumentVersion) => void;
  readonly onEnd: () => void;
}

export interface Lease {
  /** As far as the part has come, stored or not. */
  readonly progress: SliceProgress;
  /** Fires when another worker has taken the part over. */
  readonly lost: AbortSignal;
  /** Notes progress; it is stored now or, where that was done a moment ago, with a later write. */
  checkpoint(progress: SliceProgress): Promise<void>;
  /** Marks the part as done, unless it was lost. */
  finish(progress: SliceProgress): Promise<void>;
  /** Gives the part back with what has been done of it, for others to go on at once. */
  release(): Promise<void>;
  /** Stops renewing without a word: others take the part over after its lease. */
  drop(): void;
}

/** Checkpoints of a fast pass are stored this often at most. */
const STORE_EVERY_MS = 1_000;
/** Giving back must not hold a shutdown up. */
const RELEASE_TIMEOUT_MS = 5_000;

/** Claims a part; undefined where another was quicker. */
export async function holdLease(options: LeaseOptions): Promise<Lease | undefined> {
  const lease = new HeldLease(options);
  return (await lease.claim()) ? lease : undefined;
}

class HeldLease implements Lease {
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  #version: DocumentVersion | undefined;
  #progress: SliceProgress;
  #storedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Writes of one document go one after the other. */
  #writing: Promise<unknown> = Promise.resolve();
  #hasEnded = false;
  /** Names of the writes whose answers are still missing. */
  readonly #written = new Set<string>();

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#version = options.version;
    this.#progress = options.from;
  }

  get progress(): SliceProgress {
    return this.#progress;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async claim(): Promise<boolean> {
    if (!(await this.#write('claimed', this.#options.signal))) return false;
    this.#timer = setInterval(() => void this.#renew(), this.#options.renewMs);
    return true;
  }

  async checkpoint(progress: SliceProgress): Promise<void> {
    this.#progress = progress;
    if (performance.now() - this.#storedAt >= STORE_EVERY_MS)
      await this.#queued(() => this.#write('claimed', this.lost));
    this.lost.throwIfAborted();
  }

  async finish(progress: SliceProgress): Promise<void> {
    this.#progress = progress;
    await this.#queued(() => this.#write('done', undefined));
    this.drop();
  }

  async release(): Promise<void> {
    if (this.#hasEnded) return;
    clearInterval(this.#timer);
    try {
      await this.#writing;
      if (!this.lost.aborted) await this.#writeOnce('open', AbortSignal.timeout(RELEASE_TIMEOUT_MS));
    } catch {
      // Its lease will run out.
    }
    this.drop();
  }

  drop(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#options.onEnd();
  }

  async #renew(): Promise<void> {
    if (performance.now() - this.#storedAt < this.#options.renewMs / 2) return;
    // What fails here is tried again at the next turn; what does not pass, the next checkpoint reports.
    await this.#queued(() => this.#writeOnce('claimed', undefined)).catch(() => undefined);
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  /** False where the part was lost. */
  #write(state: SliceClaim['state'], signal: AbortSignal | undefined): Promise<boolean> {
    return this.#options.patiently(() => this.#writeOnce(state, signal), signal);
  }

  async #writeOnce(state: SliceClaim['state'], signal: AbortSignal | undefined): Promise<boolean> {
    if (this.lost.aborted || this.#hasEnded) return false;
    const { jobId, owner, onWritten } = this.#options;
    const claim: SliceClaim = { state, owner, ...this.#progress, write: this.#nextWrite() };
    const document: JobDocument = {
      job: jobId,
      kind: 'slice',
      state,
      updated: new Date().toISOString(),
      body: claimBody(claim),
    };
    let written = await this.#put(document, signal);
    if (written === undefined) {
      const own = await this.#ownWrite(signal);
      if (own?.write === claim.write) written = own.version;
      else if (own !== undefined) {
        this.#version = own.version;
        written = await this.#put(document, signal);
      }
    }
    if (written === undefined) {
      this.#lose();
      return false;
    }
    this.#written.clear();
    this.#version = written;
    this.#storedAt = performance.now();
    onWritten(claim, written);
    return true;
  }

  #nextWrite(): string {
    const name = randomUUID();
    this.#written.add(name);
    return name;
  }

  #put(document: JobDocument, signal: AbortSignal | undefined): Promise<DocumentVersion | undefined> {
    const { store, id } = this.#options;
    return this.#version === undefined
      ? store.create(id, document, signal)
      : store.replace(id, document, this.#version, signal);
  }

  /** A write of ours that came through while its answer did not. */
  async #ownWrite(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly write: string; readonly version: DocumentVersion } | undefined> {
    const { store, jobId, id } = this.#options;
    const [stored] = await store.get([id], signal);
    if (stored === undefined) return undefined;
    const { write } = parseClaim(jobId, id, stored.document['body']);
    return this.#written.has(write) ? { write, version: stored.version } : undefined;
  }

  #lose(): void {
    this.drop();
    const { id } = this.#options;
    this.#lost.abort(
      new TwinrankError('job_conflict', `The slice "${id}" was taken over by another worker.`),
    );
  }
}
