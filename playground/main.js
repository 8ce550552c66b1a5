/** Brings the page to life: settings, language, appearance, and the two views. */
import { byId, input } from './dom.js';
import { readIndex, readIndices, repeatIndexState } from './index-form.js';
import { measureAll, renderFigures, stopMeasuring, takeFile } from './judged-view.js';
import { languageFor, translatePage, translator } from './language.js';
import { renderSearch, searchBoth, searchSoon } from './search-view.js';
import { showWeight } from './settings.js';
import { remember, remembered, state } from './state.js';

/** Settings that a search is made of. */
const SEARCH_SETTINGS = [
  'fields',
  'title-field',
  'enabled',
  'window',
  'blend-mode',
  'weight',
  'shown',
  'explain',
];

function showView() {
  const judged = location.hash === '#judged';
  byId('search-view').hidden = judged;
  byId('judged-view').hidden = !judged;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === (judged ? '#judged' : '#search'))
      link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function speak() {
  state.t = translator(state.language);
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
  translatePage(state.t, document);
  repeatIndexState();
  renderSearch();
  renderFigures();
}

/** @param {string} theme */
function dress(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}

/**
 * @param {string} id
 * @param {string} event
 * @param {(event: Event) => void} handle
 */
function on(id, event, handle) {
  byId(id).addEventListener(event, handle);
}

/**
 * @param {string} id
 * @param {() => Promise<void>} work
 */
function onSubmit(id, work) {
  on(id, 'submit', (event) => {
    event.preventDefault();
    void work();
  });
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
  onSubmit('search-form', searchBoth);
  onSubmit('settings', searchBoth);
  onSubmit('judged-form', measureAll);
  on('stop', 'click', stopMeasuring);
  on('index', 'change', () => void readIndex().then(searchSoon));
  on('use-credentials', 'click', () => void readIndices().then(searchSoon));
  for (const id of SEARCH_SETTINGS) on(id, 'change', searchSoon);
  on('blend-mode', 'change', showWeight);
  on('weight', 'input', showWeight);
  takeFile('queries');
  takeFile('qrels');
  void readIndices();
}

start();
