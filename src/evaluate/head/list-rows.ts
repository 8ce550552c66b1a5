/**
 * Turns judged queries and the engine's hits into lists to learn from, two for each query. Pure.
 *
 * One holds all judged documents. Judged zeros are the best negatives, for somebody looked at them. Where there
 * are fewer than wanted, hits that nobody judged join as grade 0, taken from several ranks: not the very first, which
 * may well be relevant, and not only the last, which are too easy.
 *
 * The other holds the engine's hits, which is what the head will order. Judged documents are mostly found by other
 * means and are told apart by other signs: a head that learned from them alone orders hits worse than the plain
 * distance does.
 */
import type { Judgments } from '../qrels.js';
import { inHashOrder } from '../ranking.js';

export interface ListItem {
  readonly id: string;
  /** Null where nobody judged the document. */
  readonly grade: number | null;
}

/** Hits of these first ranks are not taken as negatives unless somebody judged them. */
const TRUSTED_RANKS = 3;

/**
 * The items of one query's list, in an order that says nothing about their grades.
 * @param hits ids of the engine's hits, best first
 * @param negatives how many documents of grade 0 the list should have
 */
export function listItems(judgments: Judgments, hits: readonly string[], negatives: number): ListItem[] {
  const zeros = [...judgments.values()].filter((grade) => grade === 0).length;
  const unjudged = hits.slice(TRUSTED_RANKS).filter((id) => !judgments.has(id));
  const added = atSeveralRanks(unjudged, Math.max(0, negatives - zeros));
  const grades = new Map<string, number | null>([...judgments, ...added.map((id) => [id, null] as const)]);
  return inHashOrder([...grades.keys()]).map((id) => ({ id, grade: grades.get(id) ?? null }));
}

/** The engine's hits as the head will meet them, judged or not; the order says nothing about their grades. */
export function hitItems(judgments: Judgments, hits: readonly string[]): ListItem[] {
  const kept = new Set(hits.filter((id, rank) => judgments.has(id) || rank >= TRUSTED_RANKS));
  return inHashOrder([...kept]).map((id) => ({ id, grade: judgments.get(id) ?? null }));
}

/** `count` ids whose ranks lie dense at the front and thin towards the end, as equal steps of the rank's square root do. */
export function atSeveralRanks(ids: readonly string[], count: number): string[] {
  if (count >= ids.length) return [...ids];
  const places = new Set<number>();
  for (let i = 0; i < count; i++) {
    let place = Math.floor(ids.length * ((i + 0.5) / count) ** 2);
    while (places.has(place)) place++;
    places.add(place);
  }
  return [...places].flatMap((place) => ids[place] ?? []);
}
