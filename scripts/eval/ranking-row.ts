/** One row of the table of all collections: what each order is worth on the answers to a collection's queries. Pure. */
import { blendRanking } from '../../src/evaluate/fusion.js';
import { metricNamed, type Metric } from '../../src/evaluate/metrics.js';
import { REPORT_DEFAULTS } from '../../src/evaluate/report.js';
import type { QueryResult } from '../../src/evaluate/run-evaluation.js';
import { mean, pairedBootstrap, type Interval } from '../../src/evaluate/statistics.js';
import { tuneBlend } from '../../src/evaluate/tune-blend.js';
import { AUTO_BLEND } from '../../src/model/blend.js';

/** A mean difference with its 95 % interval. */
export interface Difference {
  readonly mean: number;
  readonly interval: Interval;
}

export interface OrderFigures {
  readonly value: number;
  /** Null where there is no engine to compare with. */
  readonly overEngine: Difference | null;
}

export interface CollectionRow {
  readonly title: string;
  /** Which rows are of the same documents. */
  readonly folder: string;
  readonly model: string;
  /** Queries, or pairs. */
  readonly count: number;
  readonly metric: string;
  /** Share of the first ten hits of the head's order that somebody judged; null for pairs. */
  readonly judgedShare: number | null;
  readonly engine: number | null;
  readonly cosine: OrderFigures;
  readonly head: OrderFigures;
  readonly headOverCosine: Difference;
  /** Null for pairs. */
  readonly blends: BlendFigures | null;
}

export interface BlendFigures {
  /** Each query under the weight that the other folds chose. */
  readonly tuned: OrderFigures;
  readonly auto: OrderFigures;
  /** The weight that is best with all judgments in hand, and what it gains. */
  readonly bestWeight: number;
  readonly bestGain: number;
}

const SEED = 1;
const FOLDS = 5;

export interface RowName {
  readonly title: string;
  readonly folder: string;
  readonly model: string;
}

/** @param cosineOrder the window of a query by cosine */
export function rankingRow(
  results: readonly QueryResult[],
  cosineOrder: (result: QueryResult) => readonly string[],
  metric: Metric,
  name: RowName,
): CollectionRow {
  const valuesOf = (of: Metric, order: (result: QueryResult) => readonly string[]): number[] =>
    results.map((result) =>
      of.of(
        order(result).filter((id) => !result.excluded.has(id)),
        result.judgments,
      ),
    );
  const headOrder = ({ candidates }: QueryResult) => blendRanking(candidates, 0);
  const engine = valuesOf(metric, ({ engine: { ranking } }) => ranking);
  const cosine = valuesOf(metric, cosineOrder);
  const head = valuesOf(metric, headOrder);
  const auto = valuesOf(metric, ({ candidates }) => blendRanking(candidates, AUTO_BLEND));
  const tuned = tuneBlend(results, metric, { folds: FOLDS, seed: SEED });
  const figures = (values: readonly number[]): OrderFigures => ({
    value: mean(values),
    overEngine: differenceOf(values, engine),
  });
  return {
    ...name,
    count: results.length,
    metric: metric.name,
    judgedShare: mean(valuesOf(metricNamed('judged@10'), headOrder)),
    engine: mean(engine),
    cosine: figures(cosine),
    head: figures(head),
    headOverCosine: differenceOf(head, cosine),
    blends: {
      tuned: figures(tuned.heldOut),
      auto: figures(auto),
      bestWeight: tuned.weight,
      bestGain: Math.max(...tuned.curve.map(({ value }) => value)) - mean(engine),
    },
  };
}

/** The first less the second, example by example. */
export function differenceOf(values: readonly number[], base: readonly number[]): Difference {
  const differences = values.map((value, i) => value - (base[i] as number));
  return {
    mean: mean(differences),
    interval: pairedBootstrap(differences, { resamples: REPORT_DEFAULTS.resamples, seed: SEED }),
  };
}
