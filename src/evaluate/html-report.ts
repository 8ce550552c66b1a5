/** The report as one HTML file that needs nothing beside it: no script, no request, all words from outside escaped. */
import { COMPARISON_HEAD, comparisonCells } from './figures.js';
import { blendChart, deltaChart } from './html-charts.js';
import { markup, type Markup } from './html-text.js';
import type { Metric } from './metrics.js';
import type { OrderReport } from './orders-report.js';
import type { EvaluationReport } from './report.js';
import type { Answered, EvaluationRun, QueryResult } from './run-evaluation.js';
import type { Comparison } from './statistics.js';

/** Name and value of a setting, for people. */
export type ShownSettings = Readonly<Record<string, string | number>>;

const TOP_HITS = 5;
const QUERIES_SHOWN = 10;

/** The text of the file. `deciding` orders the queries; titles are the hits' texts where they came back. */
export function htmlReport(
  report: EvaluationReport,
  run: EvaluationRun,
  deciding: Metric,
  settings: ShownSettings,
): string {
  const queries = byDifference(run, deciding);
  const better = queries.filter(({ difference }) => difference > 1e-9).slice(0, QUERIES_SHOWN);
  const worse = queries
    .filter(({ difference }) => difference < -1e-9)
    .slice(-QUERIES_SHOWN)
    .reverse();
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>twinrank against the engine</title>
<style>${STYLE}</style>
</head>
<body>
<h1>twinrank against the engine</h1>
<ul>${report.advice.map((line) => markup`<li>${line}</li>`)}</ul>
${metricsTable(report)}
<p>${report.queries} queries, reranked ${report.outcomes.applied}; without a relevant document ${report.without_relevant}, not judged ${report.unjudged}.
Median latency ${report.latency_ms.engine.p50.toFixed(1)} ms of the engine, ${report.latency_ms.twinrank.p50.toFixed(1)} ms of twinrank.</p>
${ordersSection(report)}
<h2>Each query: difference of ${deciding.name}</h2>
${deltaChart(queries.map(({ result: { query }, difference }) => ({ label: query.text, difference })))}
<h2>Where twinrank is worse</h2>
${querySections(worse)}
<h2>Where twinrank is better</h2>
${querySections(better)}
<h2>Settings</h2>
<table>${Object.entries(settings).map(([name, value]) => markup`<tr><th>${name}</th><td>${value}</td></tr>`)}</table>
</body>
</html>
`.toString();
}

interface ComparedQuery {
  readonly result: QueryResult;
  readonly engine: number;
  readonly twinrank: number;
  readonly difference: number;
}

/** Greatest gain first. */
function byDifference({ results }: EvaluationRun, { of }: Metric): ComparedQuery[] {
  return results
    .map((result) => {
      const engine = of(result.engine.ranking, result.judgments);
      const twinrank = of(result.proxy.ranking, result.judgments);
      return { result, engine, twinrank, difference: twinrank - engine };
    })
    .sort((a, b) => b.difference - a.difference);
}

function metricsTable({ metrics }: EvaluationReport): Markup {
  const rows = metrics.map(
    ({ name, engine, twinrank, ...comparison }) =>
      markup`<tr><th>${name}</th><td>${engine.toFixed(4)}</td><td>${twinrank.toFixed(4)}</td>${cellsOf(comparison)}</tr>`,
  );
  return markup`<table><tr><th></th><th>engine</th><th>twinrank</th>${HEAD_CELLS}</tr>${rows}</table>`;
}

const HEAD_CELLS = COMPARISON_HEAD.map((head) => markup`<th>${head}</th>`);

function cellsOf(comparison: Comparison): Markup[] {
  return comparisonCells(comparison).map((cell) => markup`<td>${cell}</td>`);
}

function ordersSection({ orders }: EvaluationReport): Markup {
  if (orders === null) return markup``;
  const row = (name: string, { value, comparison }: OrderReport): Markup =>
    markup`<tr><th>${name}</th><td>${value.toFixed(4)}</td>${cellsOf(comparison)}</tr>`;
  return markup`<h2>Orders, by ${orders.metric} against the engine</h2>
<table><tr><th></th><th>value</th>${HEAD_CELLS}</tr>
<tr><th>engine</th><td>${orders.engine.toFixed(4)}</td><td></td><td></td><td></td></tr>
${row('probability alone', orders.probability)}${row('blend, held out', orders.blend_held_out)}${row('--blend auto', orders.auto)}${row('reciprocal rank fusion', orders.rank_fusion)}</table>
<h2>Weight of the engine in the blend; best is ${orders.weight}</h2>
${blendChart(orders)}`;
}

function querySections(queries: readonly ComparedQuery[]): Markup {
  if (queries.length === 0) return markup`<p>No query.</p>`;
  return markup`${queries.map(
    ({ result, engine, twinrank }) => markup`<section>
<h3>${result.query.text}</h3>
<div class="sides">${topHits(`Engine, ${engine.toFixed(3)}`, result.engine, result)}${topHits(`twinrank, ${twinrank.toFixed(3)}`, result.proxy, result)}</div>
</section>`,
  )}`;
}

function topHits(caption: string, { ranking, hits }: Answered, { judgments }: QueryResult): Markup {
  const titles = new Map(hits.map(({ id, title }) => [id, title]));
  const rows = ranking.slice(0, TOP_HITS).map((id) => {
    const grade = judgments.get(id);
    const kind = grade === undefined ? 'unjudged' : grade > 0 ? 'relevant' : 'irrelevant';
    return markup`<tr class="${kind}"><td>${grade ?? 'not judged'}</td><td title="${id}">${titles.get(id) ?? id}</td></tr>`;
  });
  return markup`<table><caption>${caption}</caption><tr><th>grade</th><th>title</th></tr>${rows}</table>`;
}

const STYLE = markup`body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 0.5em 0; }
th, td { border: 1px solid #ccc; padding: 0.2em 0.6em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
caption { text-align: left; font-weight: bold; }
svg { width: 100%; height: auto; font-size: 12px; }
line { stroke: #888; } .dashed { stroke-dasharray: 6 4; }
polyline { fill: none; stroke: #1a6fb5; stroke-width: 2; } circle { fill: #1a6fb5; }
.gain { fill: #2a8a4a; } .loss { fill: #c0392b; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1em; } .sides table { width: 100%; }
.relevant { background: #e3f4e7; } .irrelevant { background: #fbe9e7; } .unjudged { background: #f3f3f3; }`;
