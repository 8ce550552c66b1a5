/** What the work on a slice needs. */
import type { Encoder } from '../../model/encoder.js';
import type { EngineClient } from '../../search-engine/client.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import type { ReindexFailure } from './failures.js';
import type { PageLimits } from './page-size.js';
import type { Throttle } from './throttle.js';

/** Into the index itself, or copied into another. */
export type ReindexTarget = 'in_place' | { readonly dest: string };

export interface ReindexDeps {
  readonly client: EngineClient;
  readonly encoder: Encoder;
  /** Settings by which documents of a concrete source index are judged; with a `dest`, always its own. */
  readonly settings: (index: string) => IndexSettings;
  readonly throttle: Throttle;
  /** Told once of each document that failed. */
  readonly onFailure: (failure: ReindexFailure) => void;
  readonly target: ReindexTarget;
  /** Fresh vectors are made anew too. */
  readonly all?: boolean;
  readonly pageLimits?: PageLimits;
}
