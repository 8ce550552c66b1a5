/** The `x-twinrank` header: what happened to a search, for people and for tests. */
import type { HitProblem } from './hit-vector.js';
import type { SkipReason } from './plan.js';

export const OUTCOME_HEADER = 'x-twinrank';

/** Why a planned reranking gave the engine's order after all. */
export type FailOpenReason =
  | 'encode_timeout'
  | 'encode_failed'
  | 'overloaded'
  | 'no_vectors'
  | 'engine_error'
  | 'unreadable_answer'
  | 'answer_too_large'
  | 'internal_error';

export interface Applied {
  readonly window: number;
  readonly scored: number;
  readonly problems: Readonly<Partial<Record<HitProblem, number>>>;
  readonly encodeMs: number;
  readonly scoreMs: number;
}

/** `applied; window=100; scored=98; missing=2; encode=2.1ms; score=0.3ms` */
export function appliedHeader(outcome: Applied): string[] {
  const problems = Object.entries(outcome.problems).map(([name, count]) => `${name}=${count}`);
  const parts = [
    'applied',
    `window=${outcome.window}`,
    `scored=${outcome.scored}`,
    ...problems,
    `encode=${outcome.encodeMs.toFixed(1)}ms`,
    `score=${outcome.scoreMs.toFixed(1)}ms`,
  ];
  return [OUTCOME_HEADER, parts.join('; ')];
}

/** `skipped; reason=sort` */
export function skippedHeader(reason: SkipReason | FailOpenReason): string[] {
  return [OUTCOME_HEADER, `skipped; reason=${reason}`];
}
