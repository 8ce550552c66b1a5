/** Both orders of a search, with the moves drawn, what happened in words, and the time by its parts. */
import { byId, el, svg } from './dom.js';
import { drawMoves } from './drawing.js';
import { compareOrders, hitsOf } from './moves.js';
import { readOutcome } from './outcome.js';
import { happened } from './what-happened.js';

/**
 * @typedef {object} Shown
 * @property {import('./api.js').SearchAnswer} engine
 * @property {import('./api.js').SearchAnswer} ours
 * @property {import('./settings.js').Settings} settings
 * @property {Readonly<Record<string, number>> | null} judgments grade by id, where the query is a judged one
 */

/** @typedef {import('./moves.js').Row} Row */
/** @typedef {import('./language.js').Translate} Translate */

/** @type {Record<Row['move'], string>} */
const SIGNS = { up: '▲', down: '▼', same: '＝', new: '▲', gone: '▼' };

let endDrawing = () => {};

/** Takes the result away. */
export function clearResult() {
  endDrawing();
  byId('result').replaceChildren();
}

/**
 * Shows a result; gives back the sentence about it.
 * @param {Shown} shown
 * @param {Translate} t
 * @returns {string}
 */
export function showResult({ engine, ours, settings, judgments }, t) {
  clearResult();
  const outcome = readOutcome(ours.outcome);
  const columns = compareOrders(
    hitsOf(engine.body, settings.titleField),
    hitsOf(ours.body, settings.titleField),
    settings.shown,
  );
  const place = byId('result');
  place.append(happened(outcome, engine, ours, t));
  if (columns.engine.length === 0) {
    place.append(el('p', { class: 'empty' }, t('no_hits')));
    return t('no_hits');
  }
  const left = el(
    'ol',
    { class: 'hits', role: 'list' },
    columns.engine.map((row) => engineItem(row, judgments, t)),
  );
  const right = el(
    'ol',
    { class: 'hits', role: 'list' },
    columns.ours.map((row) => ourItem(row, outcome, judgments, t)),
  );
  const canvas = svg('svg', { class: 'moves', 'aria-hidden': 'true', preserveAspectRatio: 'none' });
  const board = el(
    'div',
    { class: 'board' },
    el(
      'section',
      { 'aria-labelledby': 'engine-head', class: 'side engine' },
      head('engine-head', t('engine_column'), t('score')),
      left,
    ),
    el('div', { class: 'gutter' }, canvas),
    el(
      'section',
      { 'aria-labelledby': 'ours-head', class: 'side ours' },
      head('ours-head', t('twinrank_column'), t('probability')),
      right,
    ),
  );
  place.append(board);
  highlight(board);
  endDrawing = drawMoves(canvas, left, right, columns.ours, columns.engine);
  return summary(columns.ours, settings.window, engine.body, t);
}

/**
 * @param {string} id
 * @param {string} title
 * @param {string} unit
 */
function head(id, title, unit) {
  return el(
    'div',
    { class: 'head' },
    el('h2', { id }, title),
    el('span', { class: 'unit', 'aria-hidden': 'true' }, unit),
  );
}

/**
 * @param {Row} row
 * @param {Shown['judgments']} judgments
 * @param {Translate} t
 */
function engineItem({ hit, rank, other, move }, judgments, t) {
  const words = move === 'gone' ? t('now_gone') : t(`now_${move}`, { other: other ?? '' });
  return el(
    'li',
    { 'data-key': hit.key, 'data-id': hit.id, class: gradeClass(hit, judgments) },
    el('span', { class: 'rank', 'aria-hidden': 'true' }, rank),
    titleOf(hit, judgments, t),
    el(
      'span',
      { class: 'value' },
      el('span', { class: 'unseen' }, `${t('score')} `),
      hit.score === null ? '–' : hit.score.toFixed(2),
    ),
    el('span', { class: `badge ${move}` }, el('span', { 'aria-hidden': 'true' }, `${SIGNS[move]} `), words),
  );
}

/**
 * @param {Row} row
 * @param {import('./outcome.js').Outcome} outcome
 * @param {Shown['judgments']} judgments
 * @param {Translate} t
 */
function ourItem({ hit, rank, other, move, distance }, outcome, judgments, t) {
  const words = t(`move_${move}`, { distance, other: other ?? '' });
  return el(
    'li',
    { 'data-key': hit.key, 'data-id': hit.id, 'data-move': move, class: gradeClass(hit, judgments) },
    el('span', { class: 'rank', 'aria-hidden': 'true' }, rank),
    titleOf(hit, judgments, t, details(hit, t)),
    probability(hit, outcome, t),
    el('span', { class: `badge ${move}` }, el('span', { 'aria-hidden': 'true' }, `${SIGNS[move]} `), words),
  );
}

/**
 * @param {import('./moves.js').Hit} hit
 * @param {Shown['judgments']} judgments
 * @param {Translate} t
 * @param {...(HTMLElement | null)} more
 */
function titleOf(hit, judgments, t, ...more) {
  const grade = judgments === null ? undefined : Object.hasOwn(judgments, hit.id) ? judgments[hit.id] : null;
  return el(
    'span',
    { class: 'what' },
    el('span', { class: 'title', dir: 'auto' }, hit.title),
    el(
      'span',
      { class: 'id' },
      hit.id,
      grade !== undefined &&
        el('span', { class: 'grade' }, grade === null ? t('unjudged') : t('grade', { grade: grade ?? '' })),
    ),
    ...more,
  );
}

/**
 * @param {import('./moves.js').Hit} hit
 * @param {Shown['judgments']} judgments
 */
function gradeClass(hit, judgments) {
  if (judgments === null || !Object.hasOwn(judgments, hit.id)) return null;
  return (judgments[hit.id] ?? 0) > 0 ? 'relevant' : 'irrelevant';
}

/**
 * @param {import('./moves.js').Hit} hit
 * @param {Translate} t
 */
function details({ parts, logOdds }, t) {
  if (parts === null || logOdds === null) return null;
  const shown = (/** @type {number} */ value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  return el(
    'span',
    { class: 'parts' },
    t('parts', {
      sum: shown(logOdds),
      query: shown(parts.query),
      passage: shown(parts.passage),
      distance: shown(parts.distance),
    }),
  );
}

/**
 * @param {import('./moves.js').Hit} hit
 * @param {import('./outcome.js').Outcome} outcome
 * @param {Translate} t
 */
function probability(hit, outcome, t) {
  if (hit.probability === null) {
    const why = hit.unscored ?? (outcome.kind === 'skipped' ? (outcome.reason ?? '') : '');
    return el(
      'span',
      { class: 'value none' },
      el('span', { class: 'unseen' }, t('unscored', { why })),
      el('span', { 'aria-hidden': 'true' }, '–'),
    );
  }
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', String(hit.probability));
  return el(
    'span',
    { class: 'value' },
    el('span', { class: 'unseen' }, `${t('probability')} `),
    hit.probability.toFixed(3),
    bar,
  );
}

/**
 * The sentence that is read aloud.
 * @param {Row[]} rows ours
 * @param {number} window
 * @param {any} body
 * @param {Translate} t
 */
function summary(rows, window, body, t) {
  const moved = rows.filter(({ move }) => move !== 'same').length;
  const first = rows[0];
  const values = { moved, count: rows.length };
  const { value, relation } = body?.hits?.total ?? {};
  const total = relation === 'gte' ? t('total_at_least', { total: value }) : (value ?? rows.length);
  const counted = t('of_total', { count: rows.length, total });
  if (moved === 0 || first === undefined) return `${counted} · ${t('unmoved')}`;
  if (first.move === 'same') return `${counted} · ${t('first_same', values)}`;
  const words =
    first.other === null
      ? t('moved_beyond', { ...values, was: window })
      : t('moved', { ...values, was: first.other });
  return `${counted} · ${words}`;
}

/**
 * A row under the pointer shows its line and its other self.
 * @param {HTMLElement} board
 */
function highlight(board) {
  const mark = (/** @type {Event} */ event) => {
    const row = event.target instanceof Element ? event.target.closest('li[data-key]') : null;
    const key = row?.getAttribute('data-key') ?? null;
    board.classList.toggle('picking', key !== null);
    for (const element of board.querySelectorAll('[data-key]'))
      element.classList.toggle('picked', element.getAttribute('data-key') === key);
  };
  board.addEventListener('pointerover', mark);
  board.addEventListener('pointerleave', () => {
    board.classList.remove('picking');
  });
}
