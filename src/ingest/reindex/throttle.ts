/** Holds work back to so many documents and bytes a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stopped } from './patient-read.js';

/** Rates a second; undefined is unlimited. */
export interface Rates {
  readonly documentsPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

export interface Throttle {
  /** Resolves when this much may be written. Rejects with `cancelled` when the signal fires. */
  take(documents: number, bytes: number, signal: AbortSignal): Promise<void>;
}

/** Time, to be replaced in tests; milliseconds. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** A throttle that lets a second's worth through at once and makes up for more by waiting. */
export function createThrottle(rates: Rates, clock: Clock = SYSTEM_CLOCK): Throttle {
  const documentBucket = bucket(rates.documentsPerSecond, clock);
  const byteBucket = bucket(rates.bytesPerSecond, clock);
  return {
    async take(documents, bytes, signal) {
      const wait = Math.max(documentBucket.take(documents), byteBucket.take(bytes));
      if (wait === 0) return;
      try {
        await clock.sleep(wait, signal);
      } catch (error) {
        documentBucket.giveBack(documents);
        byteBucket.giveBack(bytes);
        throw signal.aborted ? stopped(error) : error;
      }
    },
  };
}

interface Bucket {
  /** Takes at once, into debt if need be, and says how many milliseconds later that is paid. */
  take(amount: number): number;
  giveBack(amount: number): void;
}

/** Debt instead of queues: whoever comes later waits for those before, and no amount is too large to pass. */
function bucket(rate: number | undefined, clock: Clock): Bucket {
  if (rate === undefined) return { take: () => 0, giveBack: () => undefined };
  let left = rate;
  let at = clock.now();
  return {
    take(amount) {
      const now = clock.now();
      left = Math.min(rate, left + ((now - at) / 1000) * rate);
      at = now;
      left -= amount;
      return left >= 0 ? 0 : (-left / rate) * 1000;
    },
    giveBack(amount) {
      left += amount;
    },
  };
}
