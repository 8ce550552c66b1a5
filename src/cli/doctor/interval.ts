/** Intervals of shares. Pure. */

const Z = 1.96;

/** Wilson's 95 % interval of a share that was `hits` of `of`; all of 0 to 1 where nothing was seen. */
export function wilsonInterval(hits: number, of: number): readonly [low: number, high: number] {
  if (of === 0) return [0, 1];
  const share = hits / of;
  const square = (Z * Z) / of;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z / (1 + square)) * Math.sqrt((share * (1 - share)) / of + square / (4 * of));
  // At the ends the bound is the share itself, which rounding would miss.
  return [hits === 0 ? 0 : middle - half, hits === of ? 1 : middle + half];
}
