/** What the figures say, in plain words. */
import { signed, withInterval } from './figures.js';
import type { EvaluationReport } from './report.js';
import type { OrderReport } from './orders-report.js';

/** Share of unjudged hits among the first ten above which the figures are to be doubted. */
const MANY_UNJUDGED = 0.3;
/** Below this many queries an interval is wide and a tuned weight a guess. */
const FEW_QUERIES = 30;

/** Sentences for people, the most important first. */
export function adviceOf(report: Omit<EvaluationReport, 'advice'>): string[] {
  return [...aboutOrders(report), ...aboutJudgments(report)];
}

function aboutOrders({ orders }: Omit<EvaluationReport, 'advice'>): string[] {
  if (orders === null) return [];
  const { probability, blend_held_out: blend, weight, metric } = orders;
  const alone =
    verdict(probability) === 'below'
      ? `The probability alone ranks below the engine here (${metric} ${figures(probability)}): do not use it alone.`
      : verdict(probability) === 'above'
        ? `The probability alone ranks above the engine (${metric} ${figures(probability)}).`
        : `The probability alone and the engine cannot be told apart by these queries (${metric} ${figures(probability)}).`;
  return [alone, aboutBlend(blend, weight, probability), aboutAuto(orders.auto, blend)];
}

function aboutBlend(blend: OrderReport, weight: number, probability: OrderReport): string {
  if (weight === 1 || !isAbove(blend)) {
    return `No blend ranks above the engine on queries that it was not tuned on (${figures(blend)}): leave the engine's order (--mode shadow, or a blend of 1) until the model fits these documents.`;
  }
  const doubt =
    verdict(blend) === 'above'
      ? ''
      : ' The interval is not clear of zero, so more judged queries should confirm it.';
  if (weight === 0)
    return `No blend is needed: with the probability alone the order is best (held out ${figures(blend)}).${doubt}`;
  const gain = blend.value - probability.value;
  const more =
    gain > 0
      ? `${signed(gain)} against the probability alone`
      : 'no better than the probability alone when held out';
  return `Recommended: blend ${weight} (--blend ${weight}, or --write-blend here). On queries that it was not tuned on it is ${figures(blend)} against the engine, ${more}.${doubt}`;
}

/** What the weight that needs no judgments gives, and what share of the tuned weight's gain that is. */
function aboutAuto(auto: OrderReport, blend: OrderReport): string {
  const share = auto.comparison.difference / blend.comparison.difference;
  const kept = isAbove(blend) && isAbove(auto) ? `, ${percent(share)} of the gain of the tuned blend` : '';
  return `Without judgments, --blend auto would give ${figures(auto)} against the engine${kept}.`;
}

function aboutJudgments({
  queries,
  unjudged_in_top_10: unjudged,
}: Omit<EvaluationReport, 'advice'>): string[] {
  const said: string[] = [];
  if (Math.max(unjudged.engine, unjudged.twinrank) > MANY_UNJUDGED) {
    said.push(
      `Nobody judged ${percent(unjudged.engine)} of the engine's and ${percent(unjudged.twinrank)} of twinrank's first ten hits; they count as not relevant. ` +
        'Judge them, or read the judged-only figures: an order that finds new documents looks worse than it is.',
    );
  }
  if (queries < FEW_QUERIES)
    said.push(
      `Only ${queries} queries: judge at least ${FEW_QUERIES}, better 100, before you rely on a figure.`,
    );
  return said;
}

/** Whether the 95 % interval is clear of zero. */
export function verdict({ comparison }: OrderReport): 'above' | 'below' | 'unclear' {
  return comparison.interval.low > 0 ? 'above' : comparison.interval.high < 0 ? 'below' : 'unclear';
}

/** On average above the engine, be the interval clear of zero or not. */
export function isAbove({ comparison }: OrderReport): boolean {
  return comparison.difference > 1e-9;
}

function figures({ comparison: { difference, interval } }: OrderReport): string {
  return withInterval(difference, interval);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
