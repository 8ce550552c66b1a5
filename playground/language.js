/** The page's words in the language that is chosen. */
import { ENGLISH } from './english.js';
import { CHINESE } from './chinese.js';

/** @typedef {'en' | 'zh'} Language */
/** @typedef {((key: string, values?: Record<string, string | number>) => string) & { has: (key: string) => boolean }} Translate */

/** @type {Record<Language, Record<string, string>>} */
const TEXTS = { en: ENGLISH, zh: CHINESE };

/**
 * The first language of the browser that there is, else English.
 * @param {readonly string[]} wanted
 * @returns {Language}
 */
export function languageFor(wanted) {
  for (const name of wanted) {
    const short = name.toLowerCase().split('-')[0];
    if (short === 'zh' || short === 'en') return short;
  }
  return 'en';
}

/**
 * Words of a language; `{name}` stands for a value. A key without words is a defect and shows itself.
 * @param {Language} language
 * @returns {Translate}
 */
export function translator(language) {
  const texts = TEXTS[language];
  /** @type {(key: string, values?: Record<string, string | number>) => string} */
  const t = (key, values = {}) =>
    (texts[key] ?? `⟨${key}⟩`).replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
  return Object.assign(t, { has: (/** @type {string} */ key) => Object.hasOwn(texts, key) });
}

/**
 * Puts words into every element that names some.
 * @param {Translate} t
 * @param {ParentNode} root
 */
export function translatePage(t, root) {
  for (const element of root.querySelectorAll('[data-t]'))
    element.textContent = t(element.getAttribute('data-t') ?? '');
  for (const element of root.querySelectorAll('[data-t-label]'))
    element.setAttribute('aria-label', t(element.getAttribute('data-t-label') ?? ''));
  for (const element of root.querySelectorAll('[data-t-placeholder]'))
    element.setAttribute('placeholder', t(element.getAttribute('data-t-placeholder') ?? ''));
}
