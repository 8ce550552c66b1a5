/** The `x-twinrank` header: what happened to a search, for people and for tests. */
import { OUR_HEADER } from '../http/header-rules.js';
import type { HitProblem } from './hit-vector.js';
import type { SkipReason } from './plan.js';

/** Why a planned reranking gave the engine's order after all. */
export type FailOpenReason =
  | 'encode_timeout'
  | 'encode_failed'
  | 'overloaded'
  | 'no_vectors'
  | 'engine_error'
  | 'partial_answer'
  | 'unreadable_answer'
  | 'answer_too_large'
  | 'internal_error';

export interface Applied {
  /** `shadow` computed everything and changed nothing. */
  readonly kind: 'applied' | 'shadow';
  readonly window: number;
  readonly scored: number;
  /** How many of the scored hits got their vector on the fly. */
  readonly rescued: number;
  readonly problems: Readonly<Partial<Record<HitProblem, number>>>;
  readonly encodeMs: number;
  readonly scoreMs: number;
  readonly blend: number;
  /** Kendall's tau of the two orders of the window; in shadow mode only. */
  readonly correlation?: number;
}

export interface Skipped {
  readonly kind: 'skipped';
  readonly reason: SkipReason | FailOpenReason;
}

export type Outcome = Applied | Skipped;

/** `applied; window=100; scored=98; missing=2; encode=2.1ms; score=0.3ms` */
export function outcomeHeader(outcome: Outcome): string[] {
  if (outcome.kind === 'skipped') return skippedHeader(outcome.reason);
  const problems = Object.entries(outcome.problems).map(([name, count]) => `${name}=${count}`);
  const parts = [
    outcome.kind,
    `window=${outcome.window}`,
    `scored=${outcome.scored}`,
    ...problems,
    ...(outcome.rescued > 0 ? [`encoded_now=${outcome.rescued}`] : []),
    ...(outcome.blend > 0 ? [`blend=${outcome.blend}`] : []),
    ...(outcome.correlation === undefined ? [] : [`correlation=${outcome.correlation.toFixed(3)}`]),
    `encode=${outcome.encodeMs.toFixed(1)}ms`,
    `score=${outcome.scoreMs.toFixed(1)}ms`,
  ];
  return [OUR_HEADER, parts.join('; ')];
}

/** `skipped; reason=sort` */
export function skippedHeader(reason: SkipReason | FailOpenReason): string[] {
  return [OUR_HEADER, `skipped; reason=${reason}`];
}

/** `msearch; applied=2; sort=1; encode=8.0ms`: how many searches of a request ended how. */
export function multiOutcomeHeader(outcomes: readonly Outcome[], encodeMs: number | undefined): string[] {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = outcome.kind === 'skipped' ? outcome.reason : outcome.kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => `${name}=${count}`);
  const encode = encodeMs === undefined ? [] : [`encode=${encodeMs.toFixed(1)}ms`];
  return [OUR_HEADER, ['msearch', ...parts, ...encode].join('; ')];
}
