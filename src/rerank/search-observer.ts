/** What is counted of searches, and what is told of each in the log. */
import type { Exchange } from '../http/pass-through.js';
import type { HitProblem } from './hit-vector.js';
import type { Outcome } from './outcome.js';

/** Where a search's time goes: the engine, the query's vector, and our own work on the answer. */
export type SearchPart = 'upstream' | 'encode' | 'score';

/** Vectors of the hits of one window. */
export interface WindowVectors {
  /** Stored, of this model and, where that can be told, of the text that is there now. */
  readonly fresh: number;
  /** Made for this search. */
  readonly encodedNow: number;
  readonly problems: Readonly<Partial<Record<HitProblem, number>>>;
}

/** Told what happens, for metrics. Must not throw. */
export interface SearchObserver {
  /** `count` searches ended like this; a multi-search is several. */
  searched(outcome: Outcome, count: number): void;
  took(part: SearchPart, ms: number): void;
  vectors(found: WindowVectors): void;
}

/** Writes into the request's record what became of it. */
export function note({ record }: Exchange, outcome: Outcome): void {
  record.outcome = outcome.kind;
  record.reason = outcome.kind === 'skipped' ? outcome.reason : '';
}

/** Milliseconds and counts that the log shows beside the outcome. */
export function noteMore({ record }: Exchange, more: Readonly<Record<string, number>>): void {
  record.notes = { ...record.notes, ...more };
}
