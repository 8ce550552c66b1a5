/** Did a process stay as it was? Pure judgements over what was measured of it. */
import type { Exposition } from './exposition.js';

const MAY_GROW_SHARE = 0.1;
const MAY_GROW_MB = 16;
export const DELAY_BAR_SECONDS = 0.02;

export interface Growth {
  /** Medians of the first and the last quarter, in megabytes. */
  readonly early: number;
  readonly late: number;
  readonly isFlat: boolean;
}

/** Resident memory after the warm-up, sample by sample in megabytes. */
export function growth(samples: readonly number[]): Growth {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const early = median(samples.slice(0, quarter));
  const late = median(samples.slice(-quarter));
  return { early, late, isFlat: late <= early * (1 + MAY_GROW_SHARE) + MAY_GROW_MB };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Share of the event loop's turns between two looks that came within the bar; NaN where none is known. */
export function punctualShare(before: Exposition, after: Exposition): number {
  const name = 'twinrank_event_loop_delay_seconds';
  const grown = (series: string): number =>
    (after.values.get(series) ?? Number.NaN) - (before.values.get(series) ?? Number.NaN);
  return grown(`${name}_bucket{le="${DELAY_BAR_SECONDS}"}`) / grown(`${name}_count`);
}
