/** Means, intervals and percentiles. */
import { createRandom } from './random.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Percentile by nearest rank: the smallest value that at least `share` of all values do not exceed. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
}

/**
 * 95 % interval of a mean difference by the paired bootstrap (Efron's percentile interval; Sakai 2006 for retrieval):
 * queries are drawn with replacement, so that only the difference within a query counts.
 */
export function pairedBootstrap(
  differences: readonly number[],
  { resamples, seed }: BootstrapOptions,
): Interval {
  const n = differences.length;
  if (n === 0) return { low: 0, high: 0 };
  const random = createRandom(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[Math.floor(random() * n)] ?? 0;
    return sum / n;
  }).sort();
  return {
    low: means[Math.floor(0.025 * (resamples - 1))] ?? 0,
    high: means[Math.ceil(0.975 * (resamples - 1))] ?? 0,
  };
}
