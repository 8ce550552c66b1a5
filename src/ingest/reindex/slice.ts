/**
 * What a reindex is cut into. A slice is a range of sequence numbers of one shard: within a shard every document
 * has a `_seq_no` of its own, so a cursor on it finds each document once, whatever point in time it is read from,
 * and a worker that takes a slice over goes on where the last checkpoint stands.
 */

/** Documents of one shard whose `_seq_no` is in [from, to). */
export interface SliceRange {
  /** Concrete index. */
  readonly index: string;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/** What became of the documents of a slice so far. */
export interface SliceCounts {
  /** Documents looked at. */
  readonly documents: number;
  /** Had a fresh vector already. */
  readonly fresh: number;
  /** Written with a new vector, and confirmed by the engine. */
  readonly written: number;
  /** Have no text, and no vector, as it should be. */
  readonly noText: number;
  /** Could not be encoded or written; each is named in the failures file. */
  readonly failed: number;
  /** Were gone, or edited by others meanwhile in a way that left nothing to do. */
  readonly vanished: number;
  /** Bytes of bulk requests. */
  readonly bytes: number;
}

/** How far a slice has come. */
export interface SliceProgress {
  /** The next `_seq_no` to look at; equal to the slice's `to` where it is done. */
  readonly cursor: number;
  readonly counts: SliceCounts;
}

export const NO_COUNTS: SliceCounts = {
  documents: 0,
  fresh: 0,
  written: 0,
  noText: 0,
  failed: 0,
  vanished: 0,
  bytes: 0,
};

/** Sums of counts; what `more` does not name stays. */
export function addCounts(counts: SliceCounts, more: Partial<SliceCounts>): SliceCounts {
  const added = { ...NO_COUNTS, ...more };
  return {
    documents: counts.documents + added.documents,
    fresh: counts.fresh + added.fresh,
    written: counts.written + added.written,
    noText: counts.noText + added.noText,
    failed: counts.failed + added.failed,
    vanished: counts.vanished + added.vanished,
    bytes: counts.bytes + added.bytes,
  };
}
