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

/**
 * Two-sided p-value of a mean difference by the paired randomisation test (Fisher; Smucker, Allan and Carterette
 * 2007 for retrieval): if both sides were alike, the sign of each query's difference would be chance. The observed
 * arrangement counts as one of those drawn, so the value is never 0. 1 of nothing.
 */
export function randomisationTest(
  differences: readonly number[],
  { resamples, seed }: BootstrapOptions,
): number {
  // Queries without a difference do not change the sum, whatever their sign.
  const moved = differences.filter((difference) => difference !== 0);
  const observed = Math.abs(moved.reduce((sum, difference) => sum + difference, 0));
  const random = createRandom(seed);
  // Sums of the same numbers in other signs may differ by a rounding error from the observed one.
  const bar = observed * (1 - 1e-12);
  let asExtreme = 1;
  for (let turn = 0; turn < resamples; turn++) {
    let sum = 0;
    for (const difference of moved) sum += random() < 0.5 ? difference : -difference;
    if (Math.abs(sum) >= bar) asExtreme++;
  }
  return asExtreme / (resamples + 1);
}

export interface Tally {
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
}

/** How many differences are above, below and at zero; rounding errors are no difference. */
export function tally(differences: readonly number[]): Tally {
  const wins = differences.filter((difference) => difference > 1e-9).length;
  const losses = differences.filter((difference) => difference < -1e-9).length;
  return { wins, losses, ties: differences.length - wins - losses };
}

export interface Comparison extends Tally {
  /** Mean of the differences, and its 95 % interval. */
  readonly difference: number;
  readonly interval: Interval;
  /** Of the randomisation test. */
  readonly p: number;
}

/** All that is said about one side against another, from the difference of each query. */
export function compare(differences: readonly number[], options: BootstrapOptions): Comparison {
  return {
    difference: mean(differences),
    interval: pairedBootstrap(differences, options),
    p: randomisationTest(differences, options),
    ...tally(differences),
  };
}
