/** The figures as cards and tables. */
import { el, input } from './dom.js';

/** @typedef {import('./language.js').Translate} Translate */
/** @typedef {import('./judged.js').JudgedQuery} JudgedQuery */
/** @typedef {import('./judged.js').QueryFigures} QueryFigures */

/**
 * The two figures that are asked for first.
 * @param {any} report
 * @param {Translate} t
 */
export function headline(report, t) {
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
export function metricsTable(report, t) {
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
export function queryTable(queries, figures, onPick, t) {
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
