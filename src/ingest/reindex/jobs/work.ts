/** What a worker of a job needs done; who does it knows nothing of jobs, leases and other workers. */
import type { SliceProgress, SliceRange } from '../slice.js';

export interface SliceOrder {
  readonly range: SliceRange;
  /** Where an earlier worker has come to. */
  readonly from: SliceProgress;
  /** Encode again what is fresh already. */
  readonly all: boolean;
  /** To be called when everything before the cursor is settled. Rejects when the slice is no longer ours. */
  readonly checkpoint: (progress: SliceProgress) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface PassPlan {
  readonly slices: readonly SliceRange[];
  /** About how many documents they hold. */
  readonly documents: number;
}

export interface ReindexWork {
  /** What the whole of the source is cut into, as it is now. */
  plan(signal: AbortSignal): Promise<PassPlan>;
  /** Works a slice off; can be repeated. */
  runSlice(order: SliceOrder): Promise<SliceProgress>;
  /** A pass begins, and failures of the one before no longer count: they are tried again. `resumed`: goes on. */
  passBegins(resumed: boolean): Promise<void>;
  /** The source's indices that have no write block yet. */
  open(signal: AbortSignal): Promise<readonly string[]>;
  /** Puts a write block on these; can be repeated. */
  block(indices: readonly string[], signal: AbortSignal): Promise<void>;
  /** Takes it off; can be repeated. */
  unblock(indices: readonly string[], signal: AbortSignal): Promise<void>;
  /**
   * What is left when every document is fresh: what the source lost meanwhile is removed from the new index, counts are
   * compared, the alias is moved. Can be repeated. Gives the reason where it must not be done.
   */
  finish(isClosed: boolean, signal: AbortSignal): Promise<string | null>;
}
