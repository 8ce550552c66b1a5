/** The figures of an evaluation: data in, data out; how they are shown is decided elsewhere. */
import { adviceOf } from './advice.js';
import { DEFAULT_METRICS, judgedShare, metricNamed } from './metrics.js';
import type { Metric } from './metrics.js';
import { ordersReport } from './orders-report.js';
import type { OrdersReport } from './orders-report.js';
import type { Judgments } from './qrels.js';
import type { EvaluationRun } from './run-evaluation.js';
import { compare, mean, percentile } from './statistics.js';
import type { BootstrapOptions, Comparison } from './statistics.js';

/** twinrank against engine, query by query. */
export interface MetricReport extends Comparison {
  readonly name: string;
  readonly engine: number;
  readonly twinrank: number;
}

/** Milliseconds. */
export interface LatencyReport {
  readonly p50: number;
  readonly p95: number;
}

export interface EvaluationReport {
  /** Queries behind every mean. */
  readonly queries: number;
  /** Left out: judged, but without a relevant document. */
  readonly without_relevant: number;
  /** Left out: not judged at all. */
  readonly unjudged: number;
  readonly metrics: readonly MetricReport[];
  readonly latency_ms: { readonly engine: LatencyReport; readonly twinrank: LatencyReport };
  /** How often the proxy reranked, and what it said where it did not, by its header. */
  readonly outcomes: {
    readonly applied: number;
    /** Hits that the proxy scored, of those that came back to it, over all queries; null where it does not say. */
    readonly scored: number | null;
    readonly skipped: Readonly<Record<string, number>>;
  };
  /** Share of the first ten hits that nobody judged. */
  readonly unjudged_in_top_10: { readonly engine: number; readonly twinrank: number };
  /** Orders that were computed from the scores; null where there were none. */
  readonly orders: OrdersReport | null;
  /** What the figures say, in words. */
  readonly advice: readonly string[];
  readonly seed: number;
  readonly resamples: number;
}

export interface ReportOptions extends BootstrapOptions {
  /** What is measured, in this order. */
  readonly metrics: readonly Metric[];
  /** By which orders are compared and the blend is tuned. */
  readonly deciding: Metric;
  /** Of the cross-validation. */
  readonly folds: number;
}

export const REPORT_DEFAULTS = {
  metrics: DEFAULT_METRICS,
  deciding: metricNamed('nDCG@10'),
  folds: 5,
  resamples: 10_000,
} as const satisfies Partial<ReportOptions>;

export function reportOf(run: EvaluationRun, options: ReportOptions): EvaluationReport {
  const { results, withoutRelevant, unjudged } = run;
  const figures = {
    queries: results.length,
    without_relevant: withoutRelevant,
    unjudged,
    metrics: options.metrics.map((metric) => metricReport(run, metric, options)),
    latency_ms: {
      engine: latencyOf(results.map(({ engine }) => engine.milliseconds)),
      twinrank: latencyOf(results.map(({ proxy }) => proxy.milliseconds)),
    },
    outcomes: outcomesOf(results.map(({ outcome }) => outcome)),
    unjudged_in_top_10: {
      engine: mean(results.map(({ engine, judgments }) => unjudgedShare(engine.ranking, judgments))),
      twinrank: mean(results.map(({ proxy, judgments }) => unjudgedShare(proxy.ranking, judgments))),
    },
    orders: ordersReport(results, { ...options, metric: options.deciding }),
    seed: options.seed,
    resamples: options.resamples,
  };
  return { ...figures, advice: adviceOf(figures) };
}

/** One metric of both sides. */
export function metricReport(
  { results }: EvaluationRun,
  { name, of }: Metric,
  options: BootstrapOptions,
): MetricReport {
  const engine = results.map(({ engine: side, judgments }) => of(side.ranking, judgments));
  const proxy = results.map(({ proxy: side, judgments }) => of(side.ranking, judgments));
  const differences = proxy.map((value, i) => value - (engine[i] ?? 0));
  return { name, engine: mean(engine), twinrank: mean(proxy), ...compare(differences, options) };
}

/** An answer without hits has none that nobody judged. */
function unjudgedShare(ranking: readonly string[], judgments: Judgments): number {
  return ranking.length === 0 ? 0 : 1 - judgedShare(ranking, judgments, 10);
}

function latencyOf(milliseconds: readonly number[]): LatencyReport {
  return { p50: percentile(milliseconds, 0.5), p95: percentile(milliseconds, 0.95) };
}

/** Counts `applied; window=100; scored=98` and `skipped; reason=sort`; an answer without the header was skipped. */
export function outcomesOf(headers: readonly (string | null)[]): EvaluationReport['outcomes'] {
  const skipped: Record<string, number> = {};
  let applied = 0;
  let scored: number | null = null;
  for (const header of headers) {
    const [verdict = '', ...facts] = (header ?? 'no x-twinrank header').split(';').map((part) => part.trim());
    if (verdict === 'applied') {
      applied++;
      const count = Number(factNamed(facts, 'scored') ?? Number.NaN);
      if (Number.isInteger(count)) scored = (scored ?? 0) + count;
      continue;
    }
    const reason = factNamed(facts, 'reason') ?? verdict;
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  return { applied, scored, skipped };
}

function factNamed(facts: readonly string[], name: string): string | undefined {
  return facts.find((fact) => fact.startsWith(`${name}=`))?.slice(name.length + 1);
}
