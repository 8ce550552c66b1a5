/** An evaluation report as people read it. */
import type { EvaluationReport } from '../evaluate/report.js';
import { textTable } from './table.js';

/** The table and the facts without which its figures must not be read; ends with a line end. */
export function evaluationText(report: EvaluationReport): string {
  const rows = report.metrics.map(({ name, engine, twinrank, difference, interval }) => [
    name,
    engine.toFixed(4),
    twinrank.toFixed(4),
    `${signed(difference)} [${signed(interval.low)}, ${signed(interval.high)}]`,
  ]);
  const { engine, twinrank } = report.latency_ms;
  for (const share of ['p50', 'p95'] as const) {
    rows.push([
      `latency ${share}, ms`,
      engine[share].toFixed(1),
      twinrank[share].toFixed(1),
      signed(twinrank[share] - engine[share], 1),
    ]);
  }
  const table = textTable(['', 'engine', 'twinrank', 'difference [95 % interval]'], rows, {
    rightAligned: [1, 2, 3],
  });
  return `${table}\n${factsOf(report).join('\n')}\n`;
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

function signed(value: number, digits = 4): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;
}
