/** What became of a search, in words, and the time that it took by its parts. */
import { el } from './dom.js';
import { explainOutcome, partMilliseconds } from './outcome.js';

/** @typedef {import('./language.js').Translate} Translate */

/**
 * What happened and how long it took.
 * @param {import('./outcome.js').Outcome} outcome
 * @param {import('./api.js').SearchAnswer} engine
 * @param {import('./api.js').SearchAnswer} ours
 * @param {Translate} t
 */
export function happened(outcome, engine, ours, t) {
  const [verdict = '', ...others] = explainOutcome(outcome, t);
  return el(
    'div',
    { class: 'facts' },
    el(
      'section',
      { class: `card verdict ${outcome.kind}`, 'aria-labelledby': 'happened-head' },
      el('h2', { id: 'happened-head' }, t('what_happened')),
      el('p', {}, el('strong', { id: 'verdict' }, verdict), ' ', others.join(' ')),
      el(
        'p',
        { class: 'raw' },
        el('span', { class: 'unseen' }, `${t('header')}: `),
        el('code', { id: 'outcome' }, ours.outcome ?? '–'),
      ),
    ),
    el(
      'section',
      { class: 'card', 'aria-labelledby': 'timings-head' },
      el('h2', { id: 'timings-head' }, t('timings')),
      timings(outcome, engine, ours, t),
    ),
  );
}

/**
 * @param {import('./outcome.js').Outcome} outcome
 * @param {import('./api.js').SearchAnswer} engine
 * @param {import('./api.js').SearchAnswer} ours
 * @param {Translate} t
 */
function timings(outcome, engine, ours, t) {
  /** @type {[string, number | null][]} */
  const all = [
    ['time_engine', took(engine)],
    ['time_twinrank', took(ours)],
    ['time_encode', partMilliseconds(outcome, 'encode')],
    ['time_score', partMilliseconds(outcome, 'score')],
    ['time_trip', ours.milliseconds],
  ];
  const longest = Math.max(1, ...all.map(([, value]) => value ?? 0));
  const list = el('dl', { class: 'timings' });
  for (const [name, value] of all) {
    if (value === null) continue;
    const bar = el('span', { class: `bar ${name}`, 'aria-hidden': 'true' });
    bar.style.setProperty('--share', String(value / longest));
    const words = t('milliseconds', { value: value.toFixed(Number.isInteger(value) ? 0 : 1) });
    list.append(el('dt', {}, t(name)), el('dd', { 'data-part': name }, bar, el('span', {}, words)));
  }
  return list;
}

/** @param {import('./api.js').SearchAnswer} answer */
function took({ body }) {
  return typeof body?.took === 'number' ? body.took : null;
}
