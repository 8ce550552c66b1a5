/** Which strength to take from a cross-validation. Pure. */
import { mean } from '../statistics.js';

/**
 * Of the strengths that are not worse than the best by more than one standard error of their difference, the
 * strongest (the one-standard-error rule of Breiman et al. 1984, paired): of two heads that cannot be told apart
 * here, the one that is nearer to the anchor holds better elsewhere.
 * @param tried a measure for each pair or query, higher is better; by strength, from strong to weak
 */
export function strongestGood(tried: readonly (readonly number[])[]): number {
  const means = tried.map(mean);
  const best = means.indexOf(Math.max(...means));
  const bestValues = tried[best] ?? [];
  return tried.findIndex((values) => {
    const differences = bestValues.map((value, i) => value - (values[i] ?? 0));
    return mean(differences) <= standardError(differences);
  });
}

/** Standard error of the mean. */
function standardError(values: readonly number[]): number {
  if (values.length < 2) return Infinity;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
