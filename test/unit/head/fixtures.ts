/** Synthetic examples whose truth is known: vectors by chance, labels from a head of our own. */
import type { NumberedPairs } from '../../../src/evaluate/head/pair-problem.js';
import { vectorTable, type VectorTable } from '../../../src/evaluate/head/training-rows.js';
import { createRandom, type Random } from '../../../src/evaluate/random.js';

export const never = new AbortController().signal;

/** Unit vectors by chance. */
export function randomTable(count: number, dimensions: number, random: Random): VectorTable {
  const table = vectorTable(count, dimensions);
  for (let at = 0; at < count; at++) {
    const vector = table.values.subarray(at * dimensions, (at + 1) * dimensions);
    vector.forEach((_, i) => (vector[i] = random() - 0.5));
    const length = Math.hypot(...vector);
    vector.forEach((value, i) => (vector[i] = value / length));
  }
  return table;
}

/**
 * Pairs of texts of their own; the second vector lies between the first and one by chance. A label is drawn with the
 * probability that the log-odds of `oddsOf` give.
 */
export function syntheticPairs(
  count: number,
  dimensions: number,
  oddsOf: (u: Float32Array, v: Float32Array) => number,
  seed = 1,
): NumberedPairs {
  const random = createRandom(seed);
  const vectors = randomTable(2 * count, dimensions, random);
  const at = (place: number) => vectors.values.subarray(place * dimensions, (place + 1) * dimensions);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const [u, v] = [at(2 * i), at(2 * i + 1)];
    const share = random();
    v.forEach((value, k) => (v[k] = share * value + (1 - share) * (u[k] as number)));
    labels[i] = random() < 1 / (1 + Math.exp(-oddsOf(u, v))) ? 1 : 0;
  }
  return {
    vectors,
    left: Int32Array.from(labels, (_, i) => 2 * i),
    right: Int32Array.from(labels, (_, i) => 2 * i + 1),
    labels,
  };
}

export function l1(u: Float32Array, v: Float32Array): number {
  return u.reduce((sum, value, i) => sum + Math.abs(value - (v[i] as number)), 0);
}
