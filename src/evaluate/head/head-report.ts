/** What a training found. Plain data; how it is shown is decided elsewhere. */
import type { Interval } from '../statistics.js';
import type { CalibrationFigures } from './calibration.js';

export interface StrengthReport {
  readonly strength: number;
  /** Mean held-out figures, by the names of the measures. */
  readonly figures: Readonly<Record<string, number>>;
  readonly chosen: boolean;
}

export interface MeasureReport {
  readonly name: string;
  /** Null where the measure depends on a scale of the scores, which cosines have not been given. */
  readonly cosine: number | null;
  /** The L1 distance with the scale and bias that fit best. */
  readonly anchor: number;
  readonly head: number;
  /** Head less anchor, and head less cosine, with 95 % intervals; null where no interval is taken. */
  readonly over_anchor: Difference | null;
  readonly over_cosine: Difference | null;
}

export interface Difference {
  readonly mean: number;
  readonly interval: Interval;
}

export interface HeadReport {
  readonly kind: 'pairs' | 'queries';
  /** What was learned from, by name: pairs, similar, texts; or queries, judged, from_hits. */
  readonly examples: Readonly<Record<string, number>>;
  readonly folds: number;
  /** Rows of the cross-validation where the set is too large to use all of it; else null. */
  readonly cross_validated_on: number | null;
  readonly strengths: readonly StrengthReport[];
  /** Held-out figures at the chosen strength. */
  readonly measures: readonly MeasureReport[];
  /** Name of the measure that chooses the strength and decides on the verdict. */
  readonly decided_by: string;
  /** What is written: the learned head, or the anchor where the head is not better beyond noise. */
  readonly verdict: 'head' | 'anchor' | 'head by force';
  readonly calibration: { readonly before: CalibrationFigures; readonly after: CalibrationFigures };
  readonly seed: number;
  readonly seconds: number;
}
