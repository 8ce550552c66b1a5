/**
 * The port through which everything else gets vectors. A text goes in, a unit-length vector comes out; who
 * computes it, on which thread and in which batch, is nobody else's business.
 */

/** Chooses the prefix of the model and the place in the queue: a query goes ahead of documents. */
export type TextKind = 'query' | 'document';

export interface EncodeOptions {
  readonly kind: TextKind;
  /** Aborting drops the texts that still wait and rejects the promise with `cancelled`. */
  readonly signal?: AbortSignal;
}

export interface Encoder {
  readonly dimensions: number;
  /** Names the weights, the tokeniser and the pooling; vectors of different fingerprints do not compare. */
  readonly fingerprint: string;
  /**
   * One vector of `dimensions` numbers for each text, in input order. Vectors may be shared between callers:
   * treat them as read-only. Rejects with `cancelled`, `overloaded`, `body_too_large`, `encode_failed` or
   * `not_ready`.
   */
  encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array[]>;
}
