/** The figures of an evaluation: data in, data out; how they are shown is decided elsewhere. */
import { METRICS } from './metrics.js';
import type { MetricName } from './metrics.js';
import type { EvaluationRun } from './run-evaluation.js';
import { mean, pairedBootstrap, percentile } from './statistics.js';
import type { BootstrapOptions, Interval } from './statistics.js';

export interface MetricReport {
  readonly name: MetricName;
  readonly engine: number;
  readonly twinrank: number;
  /** twinrank less engine, and its 95 % interval. */
  readonly difference: number;
  readonly interval: Interval;
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
  readonly seed: number;
  readonly resamples: number;
}

export function reportOf(
  { results, withoutRelevant, unjudged }: EvaluationRun,
  bootstrap: BootstrapOptions,
): EvaluationReport {
  return {
    queries: results.length,
    without_relevant: withoutRelevant,
    unjudged,
    metrics: METRICS.map(({ name, of }) => {
      const engine = results.map(({ engine: side, judgments }) => of(side.ranking, judgments));
      const proxy = results.map(({ proxy: side, judgments }) => of(side.ranking, judgments));
      const differences = proxy.map((value, i) => value - (engine[i] ?? 0));
      const interval = pairedBootstrap(differences, bootstrap);
      return { name, engine: mean(engine), twinrank: mean(proxy), difference: mean(differences), interval };
    }),
    latency_ms: {
      engine: latencyOf(results.map(({ engine }) => engine.milliseconds)),
      twinrank: latencyOf(results.map(({ proxy }) => proxy.milliseconds)),
    },
    outcomes: outcomesOf(results.map(({ outcome }) => outcome)),
    seed: bootstrap.seed,
    resamples: bootstrap.resamples,
  };
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
