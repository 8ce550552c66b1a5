/** What the parts of the proxy work with, and the bounds that the operator sets. */
import { TwinrankError } from '../errors.js';
import type { Encoder } from '../model/encoder.js';
import type { Head } from '../model/head.js';
import type { SettingsReader } from '../search-engine/index-settings.js';
import { PLAN_DEFAULTS, type PlanDefaults, type SkipReason } from './plan.js';
import type { FailOpenReason } from './outcome.js';
import type { SearchObserver } from './search-observer.js';

/** Two orders of one window, for the log of shadow mode. */
export interface ShadowReport {
  readonly index: string;
  /** Ids in the engine's order and in ours. */
  readonly engine: readonly string[];
  readonly twinrank: readonly string[];
  /** Kendall's tau. */
  readonly correlation: number;
}

export interface RerankDeps {
  readonly encoder: Encoder;
  readonly head: Head;
  readonly settings: SettingsReader;
  /** Told of failures that the caller does not see. */
  readonly onFailOpen?: (reason: FailOpenReason | SkipReason, error: TwinrankError) => void;
  readonly onShadow?: (report: ShadowReport) => void;
  readonly observer?: SearchObserver;
}

export interface RerankOptions extends PlanDefaults {
  /** How long a caller may wait for what the engine does not give, in milliseconds from when the request is there. */
  readonly budgetMs: number;
  /** Search bodies above this pass through unread. */
  readonly maxBodyBytes: number;
  /** Answers above this are not held in memory: the caller's own request is sent again and streamed. */
  readonly maxAnswerBytes: number;
  /** Largest window that a request may ask for. */
  readonly maxWindow: number;
  /** Hits without a usable vector that are encoded on the fly for one search, within the budget. */
  readonly maxEncodedNow: number;
  /** Compute and log, but return the engine's order. */
  readonly shadow: boolean;
  /** Answer 503 where a query cannot be encoded, instead of the engine's order. */
  readonly strict: boolean;
}

export const DEFAULT_RERANK_OPTIONS: RerankOptions = {
  ...PLAN_DEFAULTS,
  budgetMs: 150,
  maxBodyBytes: 10 * 1024 * 1024,
  maxAnswerBytes: 128 * 1024 * 1024,
  maxWindow: 1_000,
  maxEncodedNow: 16,
  shadow: false,
  strict: false,
};

/** One request under way. */
export interface RerankContext {
  readonly deps: RerankDeps;
  readonly options: RerankOptions;
  /** Milliseconds of the caller's budget that are left; never negative. */
  readonly remainingMs: () => number;
  /** Milliseconds since the request arrived. */
  readonly elapsedMs: () => number;
}

/** The failure of a part of ours, as strict mode answers it. */
export function strictError(cause: TwinrankError): TwinrankError {
  return new TwinrankError(
    'not_ready',
    `The search could not be reranked, and strict mode is on: ${cause.message}`,
    { cause },
  );
}
