/** Log-odds of similarity for the hits of the window; a hit that cannot be scored says why and harms no other. */
import type { PassageScorer } from '../model/head.js';
import type { SettingsByIndex } from '../search-engine/index-settings.js';
import { hitVector, type HitProblem, type HitVector, type ModelIdentity } from './hit-vector.js';
import type { HitRanges } from './search-response.js';

export interface HitScores {
  /** Log-odds by position in the engine's list; undefined where there is none. */
  readonly logOdds: readonly (number | undefined)[];
  readonly scored: number;
  readonly problems: Readonly<Partial<Record<HitProblem, number>>>;
}

/** The stored vector of each hit, or why there is none. */
export function storedVectors(
  bytes: Buffer,
  hits: readonly HitRanges[],
  model: ModelIdentity,
  settings: SettingsByIndex,
  wholeSource: boolean,
): readonly HitVector[] {
  // One block for all: so many small arrays would cost more than filling them.
  const block = new Float32Array(hits.length * model.dimensions);
  return hits.map((hit, i) => {
    const place = block.subarray(i * model.dimensions, (i + 1) * model.dimensions);
    return hitVector(bytes, hit, settings.get(hit.index), model, wholeSource, place);
  });
}

/** Scores what has a vector and counts the reasons of the rest. */
export function scoreVectors(vectors: readonly HitVector[], scorer: PassageScorer): HitScores {
  const problems: Partial<Record<HitProblem, number>> = {};
  let scored = 0;
  const logOdds = vectors.map((vector) => {
    if (typeof vector === 'string') {
      problems[vector] = (problems[vector] ?? 0) + 1;
      return undefined;
    }
    scored++;
    return scorer.logOdds(vector);
  });
  return { logOdds, scored, problems };
}
