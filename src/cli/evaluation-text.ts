/** An evaluation report as people read it. */
import { COMPARISON_HEAD, comparisonCells, signed } from '../evaluate/figures.js';
import { RANK_FUSION_K } from '../evaluate/orders-report.js';
import type { OrderReport, OrdersReport } from '../evaluate/orders-report.js';
import type { EvaluationReport } from '../evaluate/report.js';
import { AUTO_BLEND } from '../model/blend.js';
import { textTable } from './table.js';

/** The table and the facts without which its figures must not be read; ends with a line end. */
export function evaluationText(report: EvaluationReport): string {
  const rows = report.metrics.map(({ name, engine, twinrank, ...comparison }) => [
    name,
    engine.toFixed(4),
    twinrank.toFixed(4),
    ...comparisonCells(comparison),
  ]);
  const { engine, twinrank } = report.latency_ms;
  for (const share of ['p50', 'p95'] as const) {
    rows.push([
      `latency ${share}, ms`,
      engine[share].toFixed(1),
      twinrank[share].toFixed(1),
      signed(twinrank[share] - engine[share], 1),
      '',
      '',
    ]);
  }
  const table = textTable(['', 'engine', 'twinrank', ...COMPARISON_HEAD], rows, {
    rightAligned: [1, 2, 3, 4, 5],
  });
  const orders = report.orders === null ? '' : `\n${ordersText(report.orders)}\n`;
  return `${table}\n${factsOf(report).join('\n')}\n${orders}${report.advice.map((line) => `${line}\n`).join('')}`;
}

/** Orders that were not asked for, against the engine. */
function ordersText(orders: OrdersReport): string {
  const row = (name: string, { value, comparison }: OrderReport): string[] => [
    name,
    value.toFixed(4),
    ...comparisonCells(comparison),
  ];
  return textTable(
    [`order by ${orders.metric}`, 'value', ...COMPARISON_HEAD],
    [
      ['engine', orders.engine.toFixed(4), '', '', ''],
      row('probability alone', orders.probability),
      row(`blend, held out (weight ${weightsOf(orders)})`, orders.blend_held_out),
      row(`--blend auto (weight ${AUTO_BLEND})`, orders.auto),
      row(`reciprocal rank fusion, k ${RANK_FUSION_K}`, orders.rank_fusion),
    ],
    { rightAligned: [1, 2, 3, 4] },
  );
}

function weightsOf({ fold_weights: weights }: OrdersReport): string {
  const [low, high] = [Math.min(...weights), Math.max(...weights)];
  return low === high ? String(low) : `${low} to ${high}`;
}

function factsOf(report: EvaluationReport): string[] {
  const { applied, scored, skipped } = report.outcomes;
  const facts = [
    `${report.queries} queries; reranked: ${applied} of ${report.queries}${scored === null ? '' : `, ${scored} hits scored`}.`,
  ];
  if (report.without_relevant > 0)
    facts.push(`Left out: ${report.without_relevant} queries without a relevant document.`);
  if (report.unjudged > 0) facts.push(`Left out: ${report.unjudged} queries that nobody judged.`);
  for (const [reason, count] of Object.entries(skipped)) facts.push(`Not reranked: ${count} (${reason}).`);
  if (applied === 0 && report.queries > 0)
    facts.push('The proxy reranked nothing: these figures say nothing about it.');
  return facts;
}
