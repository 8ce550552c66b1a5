/** The orders that were not asked for but can be computed: the probability alone, the tuned blend, rank fusion. */
import { AUTO_BLEND } from '../model/blend.js';
import { blendRanking, reciprocalRankFusion } from './fusion.js';
import type { Metric } from './metrics.js';
import type { QueryResult } from './run-evaluation.js';
import { compare, mean } from './statistics.js';
import type { BootstrapOptions, Comparison } from './statistics.js';
import { tuneBlend } from './tune-blend.js';
import type { TunedBlend } from './tune-blend.js';

export interface OrderReport {
  readonly value: number;
  /** Against the engine. */
  readonly comparison: Comparison;
}

export interface OrdersReport {
  /** Name of the deciding metric. */
  readonly metric: string;
  /** Queries of which the proxy showed scores. */
  readonly scored_queries: number;
  readonly engine: number;
  readonly probability: OrderReport;
  /** Each query under the weight that the other folds chose. */
  readonly blend_held_out: OrderReport;
  /** What `--blend auto` gives. */
  readonly auto: OrderReport;
  readonly rank_fusion: OrderReport;
  /** Best weight over all queries. */
  readonly weight: number;
  readonly fold_weights: readonly number[];
  readonly curve: TunedBlend['curve'];
}

/** As in the paper of the method. */
export const RANK_FUSION_K = 60;

export interface OrdersOptions extends BootstrapOptions {
  readonly metric: Metric;
  readonly folds: number;
}

/** Null where the proxy showed no scores of any query, or where two folds cannot be made. */
export function ordersReport(results: readonly QueryResult[], options: OrdersOptions): OrdersReport | null {
  const { metric } = options;
  const scored = results.filter(({ candidates }) => candidates.some(({ logOdds }) => logOdds !== undefined));
  if (scored.length === 0 || results.length < 2) return null;
  const engine = results.map(({ engine: { ranking }, judgments }) => metric.of(ranking, judgments));
  const against = (values: readonly number[]): OrderReport => ({
    value: mean(values),
    comparison: compare(
      values.map((value, i) => value - (engine[i] ?? 0)),
      options,
    ),
  });
  const measured = (rankingOf: (result: QueryResult) => readonly string[]): OrderReport =>
    against(
      results.map((result) =>
        metric.of(
          rankingOf(result).filter((id) => !result.excluded.has(id)),
          result.judgments,
        ),
      ),
    );
  const tuned = tuneBlend(results, metric, options);
  return {
    metric: metric.name,
    scored_queries: scored.length,
    engine: mean(engine),
    probability: measured(({ candidates }) => blendRanking(candidates, 0)),
    blend_held_out: against(tuned.heldOut),
    auto: measured(({ candidates }) => blendRanking(candidates, AUTO_BLEND)),
    rank_fusion: measured(({ candidates }) => reciprocalRankFusion(candidates, RANK_FUSION_K)),
    weight: tuned.weight,
    fold_weights: tuned.foldWeights,
    curve: tuned.curve,
  };
}
