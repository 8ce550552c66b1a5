/** The view of one search: asks in both orders and shows them. */
import { search } from './api.js';
import { byId, el, input } from './dom.js';
import { showFailure } from './failure.js';
import { DEFAULT_WINDOW, readIndex } from './index-form.js';
import { ENGINE_WISH, readSettings, readViewer, searchBody } from './settings.js';
import { clearResult, showResult } from './side-by-side.js';
import { state } from './state.js';

const PAUSE_MS = 250;

/** @type {AbortController | null} */
let searching = null;
let pause = 0;

/** Searches in both orders. A search that is under way is given up. */
export async function searchBoth() {
  const text = input('query').value.trim();
  if (text === '' || input('index').value.trim() === '') return;
  searching?.abort();
  const mine = new AbortController();
  searching = mine;
  byId('search-status').textContent = state.t('searching');
  byId('search-view').setAttribute('aria-busy', 'true');
  try {
    await readIndex();
    const settings = readSettings(state.facts?.window ?? DEFAULT_WINDOW);
    const { index, fields, titleField, shown, window, wish } = settings;
    const viewer = readViewer();
    // The engine is asked for the whole window, so that each hit of ours has its old rank.
    const plain = searchBody(text, fields, Math.max(window, shown), [titleField]);
    const engine = await search(viewer, index, plain, ENGINE_WISH, mine.signal);
    const ours = await search(viewer, index, searchBody(text, fields, shown, true), wish, mine.signal);
    if (state.picked?.query.text !== text) state.picked = null;
    state.shown = { engine, ours, settings, judgments: state.picked?.query.judgments ?? null };
    state.searchFailure = null;
  } catch (error) {
    if (mine.signal.aborted) return;
    state.shown = null;
    state.searchFailure = error;
  }
  if (searching !== mine) return;
  searching = null;
  byId('search-view').removeAttribute('aria-busy');
  renderSearch();
}

/** Searches again once the settings have been still for a moment, where something is shown. */
export function searchSoon() {
  clearTimeout(pause);
  if (state.shown === null && state.searchFailure === null) return;
  pause = setTimeout(() => void searchBoth(), PAUSE_MS);
}

/** Shows what the last search gave. */
export function renderSearch() {
  showFailure('search-error', state.searchFailure);
  clearResult();
  byId('search-status').textContent = '';
  if (state.shown === null) return;
  byId('search-status').textContent = showResult(state.shown, state.t);
  if (state.picked !== null) byId('result').prepend(drillNote(state.picked.figures));
}

/** @param {import('./judged.js').QueryFigures} figures */
function drillNote({ engine, twinrank }) {
  const values = {
    engine: (engine['nDCG@10'] ?? 0).toFixed(3),
    twinrank: (twinrank['nDCG@10'] ?? 0).toFixed(3),
  };
  return el(
    'p',
    { class: 'note' },
    `${state.t('drill_from', values)} `,
    el('a', { href: '#judged' }, state.t('back_to_judged')),
  );
}
