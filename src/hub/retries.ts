/** Tries again what may pass: waits between tries, and gives up after some in a row. */
import { setTimeout as delay } from 'node:timers/promises';
import { delayBefore, type BackOff } from '../search-engine/back-off.js';
import { TwinrankError } from '../errors.js';
import { PassingError } from './transport.js';

export interface RetryDeps {
  readonly backOff: BackOff;
  readonly random: () => number;
  /** Told of each failure that is waited out. */
  readonly onTrouble: (message: string) => void;
}

export interface Retries {
  /** Resolves when it is time for the next try; throws the error where there is none. */
  after(error: unknown, signal: AbortSignal): Promise<void>;
  /** What failed before is forgotten: there was progress. */
  forget(): void;
}

export function createRetries({ backOff, random, onTrouble }: RetryDeps): Retries {
  let failures = 0;
  return {
    after: async (error, signal) => {
      if (!(error instanceof PassingError)) throw error;
      if (failures >= backOff.retries) {
        const again = 'It was tried several times; the same command goes on where it stopped.';
        throw new TwinrankError(error.code, `${error.message} ${again}`, { cause: error });
      }
      onTrouble(error.message);
      await delay(delayBefore(failures++, error.retryAfter, backOff, random), undefined, { signal }).catch(
        () => undefined,
      );
    },
    forget: () => {
      failures = 0;
    },
  };
}

/** Runs a task until it succeeds or its failure is final. */
export async function withRetries<T>(
  deps: RetryDeps,
  signal: AbortSignal,
  task: () => Promise<T>,
): Promise<T> {
  const retries = createRetries(deps);
  for (;;) {
    try {
      return await task();
    } catch (error) {
      await retries.after(error, signal);
    }
  }
}
