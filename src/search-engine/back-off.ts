/** How long to wait before asking again: exponential with full jitter, never less than the engine asked for. */

/** Times in milliseconds. */
export interface BackOff {
  /** How often something is asked again before it counts as failed. */
  readonly retries: number;
  readonly firstDelay: number;
  readonly maxDelay: number;
}

/**
 * Delay before retry number `retry` (from 0). Full jitter: uniformly between 0 and firstDelay * 2^retry, capped.
 * A `Retry-After` of the engine is the least wait and is capped too.
 */
export function delayBefore(
  retry: number,
  retryAfter: number | null,
  backOff: BackOff,
  random: () => number,
): number {
  const ceiling = Math.min(backOff.maxDelay, backOff.firstDelay * 2 ** retry);
  const jittered = random() * ceiling;
  return retryAfter === null ? jittered : Math.min(backOff.maxDelay, retryAfter + jittered);
}

/** Milliseconds named by a `Retry-After` header (seconds or a date, RFC 9110 10.2.3); null where there is none. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
