/** Kendall's tau of two orders of the same hits (Kendall 1938): 1 where they agree, -1 where one is the other reversed. */

/**
 * @param order permutation of 0 … n - 1: the second order, by places in the first
 * @returns (concordant - discordant) / all pairs; 1 for fewer than two hits. Quadratic, for windows of thousands.
 */
export function kendallTau(order: readonly number[]): number {
  const n = order.length;
  if (n < 2) return 1;
  let discordant = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) if ((order[i] ?? 0) > (order[j] ?? 0)) discordant++;
  }
  const pairs = (n * (n - 1)) / 2;
  return (pairs - 2 * discordant) / pairs;
}
