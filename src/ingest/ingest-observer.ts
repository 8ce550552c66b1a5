/** What is counted of writes. */
import type { VectorOutcome } from './vectorizer.js';

/** Told what happens, for metrics. Must not throw. */
export interface IngestObserver {
  /** A document goes to the engine like this, or is `rejected` since its text cannot be encoded. */
  document(outcome: VectorOutcome | 'rejected'): void;
  /** A request goes to the engine once more. */
  retried(): void;
}

/** Bulk requests now. */
export interface BulkLine {
  readonly underWay: number;
  /** Not read yet, and how many of them there may be. */
  readonly waiting: number;
  readonly maxWaiting: number;
}
