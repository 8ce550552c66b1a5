/** Patience with an encoder whose queue is full. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

export interface Patience {
  readonly signal: AbortSignal;
  /** How long to go on asking, in milliseconds; without it as long as it takes. */
  readonly patienceMs?: number;
}

/**
 * Does work that encodes texts, and does it again while the queue has no room for them. Rejects as the work does, with
 * `overloaded` when the patience is at its end, and with the signal's AbortError.
 */
export async function whenThereIsRoom<T>(
  work: () => Promise<T>,
  { signal, patienceMs = Infinity }: Patience,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TwinrankError) || error.code !== 'overloaded' || Date.now() + pause > deadline)
        throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}
