/** The judged view: every query in both orders, the figures of them, and the way to each query. */
import { reckon, search } from './api.js';
import { byId, input } from './dom.js';
import { headline, metricsTable, queryTable } from './figure-tables.js';
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
