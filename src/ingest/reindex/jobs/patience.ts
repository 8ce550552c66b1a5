/** Going on while the engine is away: the same work again, until it succeeds, cannot, or patience is at its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError, type ErrorCode } from '../../../errors.js';
import { delayBefore } from '../../../search-engine/back-off.js';

export interface PatienceOptions {
  /** How long work may fail without one success, in milliseconds. */
  readonly patienceMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Told of each failure that is waited out. */
  readonly onTrouble?: (error: TwinrankError) => void;
}

/** Runs work until it succeeds; `progressed` starts the count anew, for work that gets on and then fails. */
export type Patiently = <T>(
  work: (progressed: () => void) => Promise<T>,
  signal: AbortSignal | undefined,
) => Promise<T>;

/** No patience at all. */
export const once: Patiently = (work) => work(() => undefined);

/** Failures that may pass by themselves. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'overloaded',
  'not_ready',
  'upstream_unreachable',
  'upstream_timeout',
]);

function isPassing(error: unknown): error is TwinrankError {
  return error instanceof TwinrankError && PASSING.has(error.code);
}

/** See {@link Patiently}. Rejects with the last failure, and at once with one that does not pass. */
export function createPatience(options: PatienceOptions): Patiently {
  const { patienceMs, firstDelayMs, maxDelayMs, onTrouble } = options;
  return async (work, signal) => {
    let since = performance.now();
    let tries = 0;
    for (;;) {
      try {
        return await work(() => {
          since = performance.now();
          tries = 0;
        });
      } catch (error) {
        if (!isPassing(error) || signal?.aborted === true) throw error;
        // Asking began the clock, so a single long time-out does not use up the patience for a second try.
        if (performance.now() - since >= patienceMs && tries > 0) throw error;
        onTrouble?.(error);
        const delay = delayBefore(
          tries++,
          firstDelayMs,
          { retries: 0, firstDelay: firstDelayMs, maxDelay: maxDelayMs },
          Math.random,
        );
        await sleep(Math.min(delay, Math.max(firstDelayMs, patienceMs)), undefined, { signal }).catch(() => {
          throw error;
        });
      }
    }
  };
}
