/** Query vectors within a time budget; a failure is a reason, never an exception. */
import { performance } from 'node:perf_hooks';
import { asTwinrankError, TwinrankError } from '../errors.js';
import type { Encoder } from '../model/encoder.js';
import type { FailOpenReason } from './outcome.js';

export type EncodeOutcome =
  | { readonly vectors: readonly Float32Array[]; readonly ms: number }
  | {
      /** How long it was waited for. */
      readonly ms: number;
      readonly reason: Extract<FailOpenReason, 'encode_timeout' | 'encode_failed' | 'overloaded'>;
      readonly error: TwinrankError;
    };

export interface Encoding {
  readonly result: Promise<EncodeOutcome>;
  /** Gives the work up; the result is then of no interest. */
  cancel(): void;
}

/** Starts encoding; the result settles at most `budgetMs` later. */
export function encodeWithin(
  encoder: Encoder,
  texts: readonly string[],
  budgetMs: number,
  signal: AbortSignal,
): Encoding {
  const aborter = new AbortController();
  const started = performance.now();
  const abort = (): void => {
    aborter.abort();
  };
  signal.addEventListener('abort', abort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<EncodeOutcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({
        ms: budgetMs,
        reason: 'encode_timeout',
        error: new TwinrankError(
          'deadline_exceeded',
          `The query was not encoded within ${Math.round(budgetMs)} ms.`,
        ),
      });
      abort();
    }, budgetMs);
  });
  // Called inside a promise, so that an encoder that throws is a failure like any other.
  const encoded = Promise.resolve()
    .then(() => encoder.encode(texts, { kind: 'query', signal: aborter.signal }))
    .then(
      (vectors): EncodeOutcome =>
        vectors.length === texts.length
          ? { vectors, ms: performance.now() - started }
          : failure(
              new TwinrankError('encode_failed', 'The encoder gave fewer vectors than texts.'),
              started,
            ),
      (error: unknown) => failure(asTwinrankError(error), started),
    );
  const result = Promise.race([encoded, late]).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  });
  const cancel = (): void => {
    clearTimeout(timer);
    abort();
  };
  return { result, cancel };
}

function failure(error: TwinrankError, started: number): EncodeOutcome {
  const ms = performance.now() - started;
  const reason = error.code === 'overloaded' ? 'overloaded' : 'encode_failed';
  return { ms, reason, error };
}
