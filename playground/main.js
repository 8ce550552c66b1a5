/** Brings the page to life: settings, language, appearance, and the two views. */
import { CallError, listIndices, readMapping, search } from './api.js';
import { byId, el, input } from './dom.js';
import { measure, showFigures } from './judged.js';
import { languageFor, translatePage, translator } from './language.js';
import { ENGINE_WISH, indexFacts, readSettings, readViewer, searchBody, showWeight } from './settings.js';
import { clearResult, showResult } from './side-by-side.js';

const DEFAULT_WINDOW = 100;
const PAUSE_MS = 250;

/** @typedef {import('./judged.js').JudgedQuery} JudgedQuery */
/** @typedef {import('./judged.js').QueryFigures} QueryFigures */

/** What the page holds. Nothing of it is stored but language and appearance. */
const state = {
  language: languageFor([remembered('language') ?? '', ...navigator.languages]),
  /** @type {import('./settings.js').IndexFacts | null} */
  facts: null,
  /** Index whose mapping has been read. @type {string | null} */
  indexRead: null,
  /** Says what stands below the index, in the language that is chosen. @type {() => string} */
  sayIndex: () => '',
  /** @type {import('./side-by-side.js').Shown | null} */
  shown: null,
  /** @type {unknown} */
  searchFailure: null,
  /** @type {import('./judged.js').Measured | null} */
  measured: null,
  /** @type {{ query: JudgedQuery, figures: QueryFigures } | null} */
  picked: null,
  /** @type {AbortController | null} */
  searching: null,
  /** @type {AbortController | null} */
  measuring: null,
  /** What the fields were filled with from a mapping: what the viewer has written himself stays. */
  filled: '',
};

let t = translator(state.language);

// Searching

/** Searches in both orders and shows them. */
async function searchBoth() {
  const text = input('query').value.trim();
  if (text === '' || input('index').value.trim() === '') return;
  state.searching?.abort();
  const mine = new AbortController();
  state.searching = mine;
  byId('search-status').textContent = t('searching');
  byId('search-view').setAttribute('aria-busy', 'true');
  try {
    await readIndex();
    const settings = readSettings(state.facts?.window ?? DEFAULT_WINDOW);
    const viewer = readViewer();
    const { index, fields, titleField, shown, window, wish } = settings;
    const size = Math.max(window, shown);
    const engine = await search(
      viewer,
      index,
      searchBody(text, fields, size, [titleField]),
      ENGINE_WISH,
      mine.signal,
    );
    const ours = await search(viewer, index, searchBody(text, fields, shown, true), wish, mine.signal);
    if (state.picked?.query.text !== text) state.picked = null;
    state.shown = { engine, ours, settings, judgments: state.picked?.query.judgments ?? null };
    state.searchFailure = null;
  } catch (error) {
    if (mine.signal.aborted) return;
    state.shown = null;
    state.searchFailure = error;
  }
  if (state.searching !== mine) return;
  state.searching = null;
  byId('search-view').removeAttribute('aria-busy');
  renderSearch();
}

function renderSearch() {
  showFailure('search-error', state.searchFailure);
  clearResult();
  byId('search-status').textContent = '';
  if (state.shown === null) return;
  const words = showResult(state.shown, t);
  byId('search-status').textContent = words;
  if (state.picked !== null) byId('result').prepend(drillNote(state.picked.figures));
}

/** @param {QueryFigures} figures */
function drillNote({ engine, twinrank }) {
  const values = {
    engine: (engine['nDCG@10'] ?? 0).toFixed(3),
    twinrank: (twinrank['nDCG@10'] ?? 0).toFixed(3),
  };
  return el(
    'p',
    { class: 'note' },
    `${t('drill_from', values)} `,
    el('a', { href: '#judged' }, t('back_to_judged')),
  );
}

/** Searches again once the settings have been still for a moment. */
let pause = 0;
function searchSoon() {
  clearTimeout(pause);
  if (state.shown === null && state.searchFailure === null) return;
  pause = setTimeout(() => void searchBoth(), PAUSE_MS);
}

// Settings

/** Reads the mapping of the index that is named, once, and fills the fields from it. */
async function readIndex() {
  const index = input('index').value.trim();
  if (index === state.indexRead) return;
  state.indexRead = index;
  state.facts = null;
  if (index === '') {
    sayOfIndex(() => '');
    return;
  }
  try {
    const facts = indexFacts(await readMapping(readViewer(), index));
    if (input('index').value.trim() !== index) return;
    state.facts = facts;
    if (facts === null) {
      sayOfIndex(() => t('index_not_set_up'));
      return;
    }
    fillFields(facts.fields.join(', '));
    sayOfIndex(() =>
      t('index_ready', { fields: facts.fields.join(', '), model: facts.model, window: facts.window }),
    );
  } catch (error) {
    const status = error instanceof CallError ? error.status : 0;
    if (status === 401 && error instanceof CallError && !error.fromProxy) askForToken();
    sayOfIndex(() => (status === 404 ? t('index_missing') : t('index_unreadable')));
  }
}

/**
 * @param {() => string} say
 */
function sayOfIndex(say) {
  state.sayIndex = say;
  byId('index-state').textContent = say();
  input('window').placeholder = state.facts === null ? String(DEFAULT_WINDOW) : String(state.facts.window);
}

/** @param {string} fields */
function fillFields(fields) {
  if (input('fields').value === '' || input('fields').value === state.filled) input('fields').value = fields;
  const first = (fields.split(',')[0] ?? '').trim();
  const before = (state.filled.split(',')[0] ?? '').trim();
  if (input('title-field').value === '' || input('title-field').value === before)
    input('title-field').value = first;
  state.filled = fields;
}

/** Fills the list of indices; without the right to list them a name is typed. */
async function readIndices() {
  try {
    const names = await listIndices(readViewer());
    byId('indices').replaceChildren(...names.map((name) => el('option', { value: name })));
    if (input('index').value === '' && names.length > 0) input('index').value = names[0] ?? '';
    sayOfIndex(() => '');
  } catch (error) {
    byId('indices').replaceChildren();
    if (error instanceof CallError && error.status === 401 && !error.fromProxy) askForToken();
    const unreachable = error instanceof CallError && (error.status === 0 || error.status >= 500);
    sayOfIndex(() => (unreachable ? t('error_unreachable') : t('indices_refused')));
    return;
  }
  state.indexRead = null;
  await readIndex();
}

function askForToken() {
  byId('token-row').hidden = false;
  byId('credentials').setAttribute('open', '');
}

// Judged queries

async function measureAll() {
  state.measuring?.abort();
  const mine = new AbortController();
  state.measuring = mine;
  showFailure('judged-error', null);
  byId('figures').replaceChildren();
  state.measured = null;
  setMeasuring(true);
  try {
    await readIndex();
    const settings = readSettings(state.facts?.window ?? DEFAULT_WINDOW);
    state.measured = await measure(readViewer(), settings, showProgress, t, mine.signal);
    renderFigures();
  } catch (error) {
    byId('judged-status').textContent = mine.signal.aborted ? t('stopped') : '';
    if (!mine.signal.aborted) showFailure('judged-error', error);
  } finally {
    if (state.measuring === mine) {
      state.measuring = null;
      setMeasuring(false);
    }
  }
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

function renderFigures() {
  if (state.measured === null) return;
  byId('judged-status').textContent = showFigures(state.measured, pickQuery, t);
}

/**
 * @param {JudgedQuery} query
 * @param {QueryFigures} figures
 */
function pickQuery(query, figures) {
  state.picked = { query, figures };
  input('query').value = query.text;
  location.hash = '#search';
  void searchBoth();
}

/**
 * Puts a file's text into its field.
 * @param {string} name
 */
function takeFile(name) {
  input(`${name}-file`).addEventListener('change', async () => {
    const file = input(`${name}-file`).files?.[0];
    if (file === undefined) return;
    const stream = file.name.endsWith('.gz')
      ? file.stream().pipeThrough(new DecompressionStream('gzip'))
      : file.stream();
    input(name).value = await new Response(stream).text();
  });
}

// Errors

/**
 * @param {string} id
 * @param {unknown} error null takes the words away
 */
function showFailure(id, error) {
  const place = byId(id);
  place.replaceChildren();
  if (error === null || error === undefined) return;
  const { words, reason } = failureWords(error);
  place.append(
    el(
      'div',
      { class: 'failure' },
      el('strong', {}, words),
      reason !== '' && el('p', {}, t('error_words', { reason })),
    ),
  );
}

/**
 * @param {unknown} error
 * @returns {{ words: string, reason: string }}
 */
function failureWords(error) {
  if (!(error instanceof CallError))
    return { words: t('error_other', { status: '–' }), reason: String(error) };
  const { status, reason, fromProxy } = error;
  if (status === 0) return { words: t('error_server'), reason: '' };
  if (status === 401 && !fromProxy) {
    askForToken();
    return { words: t('error_token'), reason };
  }
  if (status === 401 || status === 403) byId('credentials').setAttribute('open', '');
  const key =
    {
      400: 'error_bad',
      401: 'error_credentials',
      403: 'error_forbidden',
      404: 'error_no_index',
      429: 'error_busy',
      502: 'error_unreachable',
      503: 'error_busy',
      504: 'error_unreachable',
    }[status] ?? 'error_other';
  return { words: t(key, { status }), reason };
}

// Views, language, appearance

function showView() {
  const judged = location.hash === '#judged';
  byId('search-view').hidden = judged;
  byId('judged-view').hidden = !judged;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === (judged ? '#judged' : '#search'))
      link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!judged && state.shown !== null) renderSearch();
}

function speak() {
  t = translator(state.language);
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
  translatePage(t, document);
  byId('index-state').textContent = state.sayIndex();
  renderSearch();
  renderFigures();
}

/** @param {string} theme */
function dress(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}

/**
 * A choice of an earlier visit. Storage may be switched off.
 * @param {string} name
 */
function remembered(name) {
  try {
    return localStorage.getItem(`twinrank-${name}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function remember(name, value) {
  try {
    localStorage.setItem(`twinrank-${name}`, value);
  } catch {
    // Then it is asked anew at the next visit.
  }
}

/**
 * @param {string} id
 * @param {string} event
 * @param {(event: Event) => void} handle
 */
function on(id, event, handle) {
  byId(id).addEventListener(event, handle);
}

function start() {
  input('language').value = state.language;
  input('theme').value = remembered('theme') ?? 'auto';
  dress(input('theme').value);
  speak();
  showWeight();
  showView();
  on('language', 'change', () => {
    state.language = languageFor([input('language').value]);
    remember('language', state.language);
    speak();
  });
  on('theme', 'change', () => {
    remember('theme', input('theme').value);
    dress(input('theme').value);
  });
  window.addEventListener('hashchange', showView);
  on('search-form', 'submit', (event) => {
    event.preventDefault();
    void searchBoth();
  });
  on('settings', 'submit', (event) => {
    event.preventDefault();
    void searchBoth();
  });
  on('index', 'change', () => {
    void readIndex().then(searchSoon);
  });
  for (const id of ['fields', 'title-field', 'enabled', 'window', 'blend-mode', 'weight', 'shown', 'explain'])
    on(id, 'change', searchSoon);
  on('blend-mode', 'change', showWeight);
  on('weight', 'input', showWeight);
  on('use-credentials', 'click', () => void readIndices().then(searchSoon));
  on('judged-form', 'submit', (event) => {
    event.preventDefault();
    void measureAll();
  });
  on('stop', 'click', () => {
    state.measuring?.abort();
  });
  takeFile('queries');
  takeFile('qrels');
  void readIndices();
}

start();
