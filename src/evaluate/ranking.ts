/** From an answer's hits to the ranking that is measured. */
import { createHash } from 'node:crypto';

export interface Hit {
  readonly id: string;
  /** Null where the answer was sorted by something else. */
  readonly score: number | null;
  /** The field that is compared with the query where equal candidates are excluded. */
  readonly text?: string | undefined;
  /** The field that is shown to people. */
  readonly title?: string | undefined;
  /** The engine's score and the log-odds of the model, where the proxy shows them. */
  readonly engineScore?: number;
  readonly logOdds?: number;
}

/**
 * Document ids, best first. A run of neighbours with the same score is put in the order of a hash of their ids:
 * an engine leaves such hits in the order of the file, and that order often gives the labels away. Hits with the
 * same probability stand in the order of the engine's scores, so where those show they must be the same too.
 */
export function rankingOf(hits: readonly Hit[]): string[] {
  const ranking: string[] = [];
  for (let at = 0; at < hits.length;) {
    const first = hits[at];
    if (first === undefined) break;
    let end = at + 1;
    while (first.score !== null && isTied(first, hits[end])) end++;
    const run = hits.slice(at, end).map(({ id }) => id);
    ranking.push(...(run.length === 1 ? run : inHashOrder(run)));
    at = end;
  }
  return ranking;
}

function isTied(hit: Hit, next: Hit | undefined): boolean {
  return next?.score === hit.score && next.engineScore === hit.engineScore;
}

/** The ids in an order that depends on nothing but the ids. */
export function inHashOrder(ids: readonly string[]): string[] {
  return ids
    .map((id) => ({ id, hash: createHash('sha256').update(id).digest('hex') }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ id }) => id);
}

/** Ids of the hits whose text is the query's own, blanks and case apart. */
export function equalToQuery(hits: readonly Hit[], query: string): string[] {
  const wanted = normal(query);
  return hits.filter(({ text }) => text !== undefined && normal(text) === wanted).map(({ id }) => id);
}

function normal(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}
