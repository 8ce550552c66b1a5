/** Orders that can be computed from one answer of the proxy: the blend at any weight, and reciprocal rank fusion. */
import { blendedLogOdds, orderByScore } from '../model/blend.js';
import { rankingOf } from './ranking.js';
import type { Hit } from './ranking.js';

/** A hit with both opinions about it. */
export interface Candidate {
  readonly id: string;
  readonly engineScore: number | undefined;
  /** Undefined where the proxy could not score it. */
  readonly logOdds: number | undefined;
}

/**
 * The candidates of a query in the engine's order, equal scores by a hash of the ids. Where the proxy shows no
 * scores it gave the engine's order, and so does every order that is computed from these.
 */
export function candidatesOf(engineHits: readonly Hit[], proxyHits: readonly Hit[]): Candidate[] {
  const shown = proxyHits
    .filter(({ engineScore }) => engineScore !== undefined)
    .map((hit) => ({ ...hit, score: hit.engineScore ?? 0 }))
    .sort((a, b) => b.score - a.score);
  const hits = new Map((shown.length > 0 ? shown : engineHits).map((hit) => [hit.id, hit]));
  return rankingOf([...hits.values()]).map((id) => ({
    id,
    engineScore: hits.get(id)?.score ?? undefined,
    logOdds: hits.get(id)?.logOdds,
  }));
}

/** Ids by the blend as the proxy has it: 0 is the probability alone, 1 the engine. */
export function blendRanking(candidates: readonly Candidate[], weight: number): string[] {
  const blended = blendedLogOdds(
    candidates.map(({ logOdds }) => logOdds),
    candidates.map(({ engineScore }) => engineScore),
    weight,
  );
  return inOrder(candidates, orderByScore(blended));
}

/** Ids by reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the sum of 1 / (k + rank) in both orders. */
export function reciprocalRankFusion(candidates: readonly Candidate[], k: number): string[] {
  const sums = candidates.map((_, rank) => 1 / (k + rank + 1));
  orderByScore(candidates.map(({ logOdds }) => logOdds)).forEach((position, rank) => {
    if (candidates[position]?.logOdds !== undefined)
      sums[position] = (sums[position] ?? 0) + 1 / (k + rank + 1);
  });
  return inOrder(candidates, orderByScore(sums));
}

function inOrder(candidates: readonly Candidate[], order: readonly number[]): string[] {
  return order.flatMap((position) => candidates[position]?.id ?? []);
}
