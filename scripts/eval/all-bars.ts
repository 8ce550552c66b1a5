/** What must hold over all collections. Pure. */
import type { CollectionRow } from './ranking-row.js';

/** Collections on which the head must be above the engine beyond chance. */
const WANTED_ABOVE = 3;

/** Share of the best blend's gain that the automatic one should keep on average; printed, not asserted. */
export const WANTED_SHARE = 0.75;

/**
 * What the rows fall short of; empty where all is well. Where fewer collections were measured than the head should
 * be above the engine on, it should be above on each of them.
 */
export function shortfallsOfAll(rows: readonly CollectionRow[]): string[] {
  const found = rows.flatMap((row) => {
    const where = `${row.title} (${row.metric})`;
    const below: string[] = [];
    if (row.headOverCosine.interval.high < 0)
      below.push(`${where}: the head is below cosine beyond its interval`);
    const auto = row.blends?.auto.overEngine ?? null;
    if (auto !== null && auto.interval.high < 0)
      below.push(`${where}: blend auto is below the engine beyond its interval`);
    return below;
  });
  const measured = foldersOf(rows.filter(({ engine }) => engine !== null));
  const above = foldersOf(rows.filter(isAboveEngine));
  const wanted = Math.min(WANTED_ABOVE, measured.length);
  if (above.length < wanted)
    found.push(`the head is clearly above the engine on ${above.length} collections, wanted are ${wanted}`);
  return found;
}

/** Names of the collections on which the head is above the engine with an interval clear of zero. */
export function foldersAbove(rows: readonly CollectionRow[]): string[] {
  return foldersOf(rows.filter(isAboveEngine));
}

function isAboveEngine({ head: { overEngine } }: CollectionRow): boolean {
  return overEngine !== null && overEngine.interval.low > 0;
}

function foldersOf(rows: readonly CollectionRow[]): string[] {
  return [...new Set(rows.map(({ folder }) => folder))];
}

/** What the automatic blend keeps of the best blend's gain; null where the best blend gains nothing. */
export function shareOfAuto({ blends }: CollectionRow): number | null {
  const auto = blends?.auto.overEngine ?? null;
  return blends === null || auto === null || blends.bestGain <= 1e-9 ? null : auto.mean / blends.bestGain;
}
