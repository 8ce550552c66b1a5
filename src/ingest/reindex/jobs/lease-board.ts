/**
 * Who holds which part of a pass. Parts are claimed by compare-and-set; a part whose document has not changed for
 * the lease time, by the watcher's own clock, may be taken over: clocks of different machines are never compared.
 */
import { addCounts, NO_COUNTS, type SliceCounts } from '../slice.js';
import type { DocumentStore, DocumentVersion } from './document-store.js';
import { parseClaim, type SliceClaim } from './job.js';
import { holdLease, type Lease } from './lease.js';
import type { Patiently } from './patience.js';

/** Others may go by a shorter lease than this worker. */
const LONGEST_SILENCE_MS = 10_000;

/** A part that can be claimed. */
export interface Part {
  /** Of its document. */
  readonly id: string;
  /** Where its cursor begins. */
  readonly from: number;
}

export interface BoardOptions {
  readonly store: DocumentStore;
  readonly jobId: string;
  /** Names this worker. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly patiently: Patiently;
}

/** What a board knows of a part. */
interface Entry {
  readonly part: Part;
  claim?: SliceClaim;
  version?: DocumentVersion;
  /** When this watcher saw it change last. */
  seenAt: number;
  isMine: boolean;
}

export interface ClaimedPart {
  /** Its place in the list of parts. */
  readonly n: number;
  readonly lease: Lease;
}

export class LeaseBoard {
  readonly #options: BoardOptions;
  readonly #entries: readonly Entry[];

  constructor(parts: readonly Part[], options: BoardOptions) {
    this.#options = options;
    const seenAt = performance.now();
    this.#entries = parts.map((part) => ({ part, seenAt, isMine: false }));
  }

  /** True when every part is done. */
  isDone(): boolean {
    return this.#entries.every(({ claim }) => claim?.state === 'done');
  }

  /** Sum over all parts, of all workers. */
  counts(): SliceCounts {
    return this.#entries.reduce((sum, { claim }) => addCounts(sum, claim?.counts ?? NO_COUNTS), NO_COUNTS);
  }

  /** Reads what others do. Parts that are done never change and are not read again. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const entries = this.#entries.filter(({ claim, isMine }) => claim?.state !== 'done' && !isMine);
    if (entries.length > 0) await this.#read(entries, signal);
  }

  /** Claims a part that nobody works on; undefined where there is none at the moment. */
  async claim(signal?: AbortSignal): Promise<ClaimedPart | undefined> {
    const free = this.#entries.filter((entry) => this.#isFree(entry));
    // Workers that begin in different places do not race for the same part.
    const start = Math.floor(Math.random() * free.length);
    for (const entry of [...free.slice(start), ...free.slice(0, start)]) {
      if (!this.#isFree(entry)) continue;
      const lease = await this.#take(entry, signal);
      if (lease !== undefined) return { n: this.#entries.indexOf(entry), lease };
    }
    return undefined;
  }

  #isFree({ claim, isMine, seenAt }: Entry): boolean {
    if (isMine || claim?.state === 'done') return false;
    return claim?.state !== 'claimed' || performance.now() - seenAt >= this.#options.leaseMs;
  }

  async #take(entry: Entry, signal: AbortSignal | undefined): Promise<Lease | undefined> {
    const { store, jobId, owner, leaseMs, patiently } = this.#options;
    const from = { cursor: entry.claim?.cursor ?? entry.part.from, counts: entry.claim?.counts ?? NO_COUNTS };
    entry.isMine = true;
    const lease = await holdLease({
      store,
      jobId,
      id: entry.part.id,
      owner,
      from,
      version: entry.version,
      renewMs: Math.min(leaseMs / 3, LONGEST_SILENCE_MS),
      patiently,
      signal,
      onWritten: (claim, version) => {
        entry.claim = claim;
        entry.version = version;
        entry.seenAt = performance.now();
      },
      onEnd: () => {
        entry.isMine = false;
        entry.seenAt = performance.now();
      },
    }).catch((error: unknown) => {
      entry.isMine = false;
      throw error;
    });
    if (lease !== undefined) return lease;
    entry.isMine = false;
    await this.#read([entry], signal);
    return undefined;
  }

  async #read(entries: readonly Entry[], signal: AbortSignal | undefined): Promise<void> {
    const { store, jobId, patiently } = this.#options;
    const ids = entries.map(({ part }) => part.id);
    const found = await patiently(() => store.get(ids, signal), signal);
    entries.forEach((entry, i) => {
      const stored = found[i];
      // One that was claimed here meanwhile is known better here.
      if (stored === undefined || entry.isMine) return;
      const { seqNo } = stored.version;
      if (entry.version?.seqNo === seqNo) return;
      entry.claim = parseClaim(jobId, entry.part.id, stored.document['body']);
      entry.version = stored.version;
      entry.seenAt = performance.now();
    });
  }
}
