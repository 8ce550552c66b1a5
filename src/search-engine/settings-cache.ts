/** What was read of the engine, kept for a few seconds and read once however many wait for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';
import { delayBefore } from './back-off.js';

/** A failed look-up is repeated sooner than a good one. */
const FAILURE_TTL_MS = 1_000;
/** Keys are callers' input: bounded, oldest dropped. */
const MAX_ENTRIES = 2_000;
const BACK_OFF = { retries: Infinity, firstDelay: 50, maxDelay: 1_000 };

/** What to do while the engine cannot answer, as when a node restarts. */
export interface Outage {
  /** Milliseconds to go on asking, where nothing is known from before. */
  readonly patienceMs: number;
}

export type Cached = <T>(key: string, read: () => Promise<T>, outage?: Outage) => Promise<T>;

interface Entry {
  value: Promise<unknown>;
  until: number;
  /** The last good answer, of this reading or one before. */
  last: { readonly value: unknown } | undefined;
}

/**
 * A cache whose answers are believed for `ttlMs`. A reading with `outage` survives one: the last good answer goes on
 * being believed, and where there is none the engine is asked until the patience is at its end.
 */
export function settingsCache(ttlMs: number, now: () => number): Cached {
  const entries = new Map<string, Entry>();
  return async <T>(key: string, read: () => Promise<T>, outage?: Outage): Promise<T> => {
    const known = entries.get(key);
    if (known !== undefined && known.until > now()) return known.value as Promise<T>;
    const last = known?.last as { readonly value: T } | undefined;
    const begun = now();
    const value = outage === undefined ? read() : survive(read, outage.patienceMs, last, now);
    const entry: Entry = { value, until: outage === undefined ? begun + ttlMs : Infinity, last };
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value ?? key);
    value.then(
      (answer) => {
        entry.last = { value: answer };
        entry.until = begun + ttlMs;
      },
      () => {
        entry.until = Math.min(begun + ttlMs, now() + FAILURE_TTL_MS);
      },
    );
    return value;
  };
}

async function survive<T>(
  read: () => Promise<T>,
  patienceMs: number,
  last: { readonly value: T } | undefined,
  now: () => number,
): Promise<T> {
  const end = now() + patienceMs;
  for (let retry = 0; ; retry++) {
    try {
      return await read();
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (last !== undefined) return last.value;
      const wait = delayBefore(retry, null, BACK_OFF, Math.random);
      if (now() + wait > end) throw error;
      await sleep(wait);
    }
  }
}

/** True where the engine gave no answer or none for now: the same question may be answered in a moment. */
export function isOutage(error: unknown): error is TwinrankError {
  return (
    error instanceof TwinrankError &&
    (error.code === 'upstream_unreachable' || error.code === 'upstream_timeout' || error.code === 'not_ready')
  );
}
