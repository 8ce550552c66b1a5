/** The view of judged queries: its form, its progress, and the way from a query to both orders of it. */
import { byId, input } from './dom.js';
import { showFailure } from './failure.js';
import { DEFAULT_WINDOW, readIndex } from './index-form.js';
import { measure, showFigures } from './judged.js';
import { searchBoth } from './search-view.js';
import { readSettings, readViewer } from './settings.js';
import { state } from './state.js';

/** @type {AbortController | null} */
let measuring = null;

/** Measures all queries of the form. */
export async function measureAll() {
  measuring?.abort();
  const mine = new AbortController();
  measuring = mine;
  showFailure('judged-error', null);
  byId('figures').replaceChildren();
  state.measured = null;
  setMeasuring(true);
  try {
    await readIndex();
    const settings = readSettings(state.facts?.window ?? DEFAULT_WINDOW);
    state.measured = await measure(readViewer(), settings, showProgress, state.t, mine.signal);
    renderFigures();
  } catch (error) {
    byId('judged-status').textContent = mine.signal.aborted ? state.t('stopped') : '';
    if (!mine.signal.aborted) showFailure('judged-error', error);
  } finally {
    if (measuring === mine) {
      measuring = null;
      setMeasuring(false);
    }
  }
}

/** Gives up what is under way. */
export function stopMeasuring() {
  measuring?.abort();
}

/** Shows the figures, where there are some. */
export function renderFigures() {
  if (state.measured === null) return;
  byId('judged-status').textContent = showFigures(state.measured, pickQuery, state.t);
}

/**
 * Puts the text of a file into its field, uncompressed where its name ends in .gz.
 * @param {'queries' | 'qrels'} name
 */
export function takeFile(name) {
  input(`${name}-file`).addEventListener('change', async () => {
    const file = input(`${name}-file`).files?.[0];
    if (file === undefined) return;
    const bytes = file.stream();
    const plain = file.name.endsWith('.gz') ? bytes.pipeThrough(new DecompressionStream('gzip')) : bytes;
    input(name).value = await new Response(plain).text();
  });
}

/** @param {boolean} running */
function setMeasuring(running) {
  byId('stop').hidden = !running;
  byId('progress').hidden = !running;
  /** @type {HTMLButtonElement} */ (byId('measure')).disabled = running;
}

/**
 * @param {string} words
 * @param {number | null} share null where it cannot be told
 */
function showProgress(words, share) {
  byId('judged-status').textContent = words;
  const bar = byId('progress');
  if (share === null) bar.removeAttribute('value');
  else bar.setAttribute('value', String(share));
}

/**
 * @param {import('./judged.js').JudgedQuery} query
 * @param {import('./judged.js').QueryFigures} figures
 */
function pickQuery(query, figures) {
  state.picked = { query, figures };
  input('query').value = query.text;
  location.hash = '#search';
  byId('main').focus();
  void searchBoth();
}
