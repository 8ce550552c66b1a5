/** Bars that a measurement must clear, for builds that shall fail where quality falls. */
import { metricNamed } from './metrics.js';
import type { Metric } from './metrics.js';
import type { MetricReport } from './report.js';

export interface Bar {
  readonly metric: Metric;
  readonly atLeast: number;
}

/** Reads `nDCG@10=0.35`. Throws an Error that says what is expected. */
export function parseBar(text: string): Bar {
  const equals = text.lastIndexOf('=');
  const number = text.slice(equals + 1).trim();
  const atLeast = /^\d*\.?\d+$/.test(number) ? Number(number) : Number.NaN;
  if (equals === -1 || !(atLeast >= 0 && atLeast <= 1))
    throw new Error(`expected METRIC@K=VALUE with a value from 0 to 1, such as nDCG@10=0.35, got "${text}".`);
  return { metric: metricNamed(text.slice(0, equals)), atLeast };
}

/** One line for each bar that is not cleared. */
export function belowBars(
  metrics: readonly Pick<MetricReport, 'name' | 'twinrank'>[],
  bars: readonly Bar[],
): string[] {
  return bars.flatMap(({ metric: { name }, atLeast }) => {
    const value = metrics.find((metric) => metric.name === name)?.twinrank ?? Number.NaN;
    return value >= atLeast ? [] : [`${name} is ${value.toFixed(4)}, the bar is ${atLeast} (--fail-below)`];
  });
}

/** A line where the proxy is worse than the engine by more than chance explains; none where it is not. */
export function worseThanEngine({
  name,
  difference,
  interval,
}: Pick<MetricReport, 'name' | 'difference' | 'interval'>): string[] {
  return interval.high < 0
    ? [
        `${name} differs from the engine's by ${difference.toFixed(4)} [${interval.low.toFixed(4)}, ${interval.high.toFixed(4)}] (--fail-if-worse)`,
      ]
    : [];
}
