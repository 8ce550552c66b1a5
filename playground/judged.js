/** The judged view: every query in both orders, the figures of them, and the way to each query. */
import { reckon, search } from './api.js';
import { byId, el, input } from './dom.js';
import { ENGINE_WISH, searchBody } from './settings.js';
import { hitsOf } from './moves.js';
import { readOutcome } from './outcome.js';

/** Hits of each side, as `twinrank eval --size` has it by default. */
const SIZE = 100;

/** @typedef {import('./language.js').Translate} Translate */
/** @typedef {{ id: string, text: string, judgments: Record<string, number> }} JudgedQuery */
/** @typedef {{ id: string, engine: Record<string, number>, twinrank: Record<string, number> }} QueryFigures */
/** @typedef {{ queries: JudgedQuery[], figures: any, outcomes: (string | null)[], left: { without: number, unjudged: number } }} Measured */

/**
 * Searches and reckons.
 * @param {import('./api.js').Viewer} viewer
 * @param {import('./settings.js').Settings} settings
 * @param {(words: string, share: number | null) => void} report
 * @param {Translate} t
 * @param {AbortSignal} signal
 * @returns {Promise<Measured>}
 */
export async function measure(viewer, settings, report, t, signal) {
  const texts = { queries: input('queries').value, qrels: input('qrels').value };
  const read = await reckon(viewer, 'judgments', texts, signal);
  /** @type {JudgedQuery[]} */
  const queries = read.queries;
  /** @type {Record<string, unknown>} */
  const answers = {};
  /** @type {(string | null)[]} */
  const outcomes = [];
  // One after the other, as twinrank eval does: the figures are of a proxy that is not crowded.
  for (const [done, query] of queries.entries()) {
    report(t('asking', { done, total: queries.length }), done / queries.length);
    const body = searchBody(query.text, settings.fields, SIZE, false);
    const engine = await search(viewer, settings.index, body, ENGINE_WISH, signal);
    const ours = await search(viewer, settings.index, body, settings.wish, signal);
    answers[query.id] = { engine: given(engine), twinrank: given(ours) };
    outcomes.push(ours.outcome);
  }
  report(t('reckoning'), null);
  const figures = await reckon(viewer, 'figures', { ...texts, answers }, signal);
  return { queries, figures, outcomes, left: { without: read.without_relevant, unjudged: read.unjudged } };
}

/** @param {import('./api.js').SearchAnswer} answer */
function given({ body, outcome, milliseconds }) {
  const hits = hitsOf(body, '').map(({ id, score, engineScore, logOdds }) => ({
    id,
    score,
    engine_score: engineScore,
    log_odds: logOdds,
  }));
  return { hits, outcome, milliseconds };
}

/**
 * Shows figures and queries; gives back the sentence about them.
 * @param {Measured} measured
 * @param {(query: JudgedQuery, figures: QueryFigures) => void} onPick
 * @param {Translate} t
 * @returns {string}
 */
export function showFigures(measured, onPick, t) {
  const { figures, queries, left } = measured;
  byId('figures').replaceChildren(
    headline(figures.report, t),
    metricsTable(figures.report, t),
    queryTable(queries, figures.per_query, onPick, t),
  );
  return [
    t('measured', { count: figures.report.queries }),
    left.without + left.unjudged > 0 ? t('left_out', left) : '',
    skippedWords(measured.outcomes, t),
  ]
    .filter((words) => words !== '')
    .join(' ');
}

/**
 * @param {(string | null)[]} headers
 * @param {Translate} t
 */
function skippedWords(headers, t) {
  const reasons = headers
    .map(readOutcome)
    .flatMap(({ kind, reason }) => (kind === 'applied' ? [] : [reason ?? kind]));
  if (reasons.length === 0) return '';
  const words = [...new Set(reasons)].map((reason) =>
    t.has(`reason_${reason}`) ? t(`reason_${reason}`) : reason,
  );
  return t('not_reranked', { count: reasons.length, reasons: words.join(' ').replace(/[.。]$/, '') });
}

/**
 * The two figures that are asked for first.
 * @param {any} report
 * @param {Translate} t
 */
function headline(report, t) {
  return el(
    'div',
    { class: 'headline' },
    ['nDCG@10', 'MRR@10'].map((name) => {
      const found = report.metrics.find((/** @type {any} */ metric) => metric.name === name);
      return el(
        'div',
        { class: 'card figure' },
        el('span', { class: 'name' }, name),
        el('span', { class: 'big' }, found.twinrank.toFixed(3)),
        el('span', { class: 'from' }, `${t('engine')} ${found.engine.toFixed(3)}`),
        el('span', { class: `badge ${direction(found.difference)}` }, signed(found.difference, 3)),
        el(
          'span',
          { class: 'tally' },
          t('won_lost', { wins: found.wins, losses: found.losses, ties: found.ties }),
        ),
      );
    }),
  );
}

/**
 * @param {any} report
 * @param {Translate} t
 */
function metricsTable(report, t) {
  const rows = report.metrics.map((/** @type {any} */ metric) =>
    el(
      'tr',
      { 'data-metric': metric.name },
      el('th', { scope: 'row' }, metric.name),
      el('td', {}, metric.engine.toFixed(4)),
      el('td', {}, metric.twinrank.toFixed(4)),
      el('td', { class: direction(metric.difference) }, signed(metric.difference, 4)),
      el('td', {}, `${signed(metric.interval.low, 4)} … ${signed(metric.interval.high, 4)}`),
      el('td', {}, `${metric.wins} / ${metric.losses} / ${metric.ties}`),
    ),
  );
  const heads = ['metric', 'engine', 'twinrank', 'difference', 'interval', 'tally'];
  return el(
    'div',
    { class: 'card scroll', tabindex: 0, role: 'region', 'aria-label': t('metrics_table') },
    el(
      'table',
      { id: 'metrics' },
      el('caption', { class: 'unseen' }, t('metrics_table')),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          heads.map((name) => el('th', { scope: 'col' }, t(name))),
        ),
      ),
      el('tbody', {}, rows),
    ),
  );
}

/**
 * @param {JudgedQuery[]} queries
 * @param {QueryFigures[]} figures
 * @param {(query: JudgedQuery, figures: QueryFigures) => void} onPick
 * @param {Translate} t
 */
function queryTable(queries, figures, onPick, t) {
  const byQuery = new Map(queries.map((query) => [query.id, query]));
  const body = el('tbody', {});
  const difference = (/** @type {QueryFigures} */ { engine, twinrank }) =>
    (twinrank['nDCG@10'] ?? 0) - (engine['nDCG@10'] ?? 0);
  const fill = (/** @type {string} */ order) => {
    const sign = order === 'loss' ? 1 : order === 'gain' ? -1 : 0;
    const sorted = [...figures].sort((a, b) => sign * (difference(a) - difference(b)));
    body.replaceChildren(
      ...sorted.flatMap((row) => {
        const query = byQuery.get(row.id);
        return query === undefined ? [] : [queryRow(query, row, difference(row), onPick, t)];
      }),
    );
  };
  const choice = el(
    'select',
    { id: 'sort' },
    ['loss', 'gain', 'file'].map((order) => el('option', { value: order }, t(`sort_${order}`))),
  );
  choice.addEventListener('change', () => {
    fill(input('sort').value);
  });
  fill('loss');
  return el(
    'section',
    { class: 'card', 'aria-labelledby': 'per-query-head' },
    el(
      'div',
      { class: 'row spread' },
      el(
        'div',
        {},
        el('h2', { id: 'per-query-head' }, t('per_query')),
        el('p', { class: 'hint' }, t('per_query_hint')),
      ),
      el('label', { class: 'choice' }, `${t('sort_by')} `, choice),
    ),
    el(
      'table',
      { id: 'per-query' },
      el(
        'thead',
        { class: 'unseen' },
        el(
          'tr',
          {},
          ['query', 'engine', 'twinrank', 'difference'].map((name) => el('th', { scope: 'col' }, t(name))),
        ),
      ),
      body,
    ),
  );
}

/**
 * @param {JudgedQuery} query
 * @param {QueryFigures} figures
 * @param {number} difference
 * @param {(query: JudgedQuery, figures: QueryFigures) => void} onPick
 * @param {Translate} t
 */
function queryRow(query, figures, difference, onPick, t) {
  const kind = direction(difference);
  const button = el('button', { type: 'button', class: 'link', dir: 'auto' }, query.text);
  button.addEventListener('click', () => {
    onPick(query, figures);
  });
  const bar = el('span', { class: `delta ${kind}`, 'aria-hidden': 'true' });
  bar.style.setProperty('--share', String(Math.min(1, Math.abs(difference))));
  const word = t(kind === 'up' ? 'gained' : kind === 'down' ? 'lost' : 'tied');
  return el(
    'tr',
    { 'data-query': query.id },
    el('th', { scope: 'row' }, button),
    el('td', {}, (figures.engine['nDCG@10'] ?? 0).toFixed(3)),
    el('td', {}, (figures.twinrank['nDCG@10'] ?? 0).toFixed(3)),
    el('td', { class: kind }, bar, el('span', { class: 'unseen' }, `${word} `), signed(difference, 3)),
  );
}

/**
 * Rounding errors are no difference.
 * @param {number} difference
 */
function direction(difference) {
  return difference > 1e-9 ? 'up' : difference < -1e-9 ? 'down' : 'same';
}

/**
 * @param {number} value
 * @param {number} digits
 */
function signed(value, digits) {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
