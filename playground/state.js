/** What the page holds while it is open. Nothing of it is stored but language and appearance. */
import { languageFor, translator } from './language.js';

/** @typedef {import('./judged.js').JudgedQuery} JudgedQuery */
/** @typedef {import('./judged.js').QueryFigures} QueryFigures */

const language = languageFor([remembered('language') ?? '', ...navigator.languages]);

export const state = {
  language,
  t: translator(language),
  /** @type {import('./settings.js').IndexFacts | null} */
  facts: null,
  /** @type {import('./side-by-side.js').Shown | null} */
  shown: null,
  /** @type {unknown} */
  searchFailure: null,
  /** @type {import('./judged.js').Measured | null} */
  measured: null,
  /** The judged query that is looked at. @type {{ query: JudgedQuery, figures: QueryFigures } | null} */
  picked: null,
};

/**
 * A choice of an earlier visit. Storage may be switched off.
 * @param {string} name
 */
export function remembered(name) {
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
export function remember(name, value) {
  try {
    localStorage.setItem(`twinrank-${name}`, value);
  } catch {
    // Then it is asked anew at the next visit.
  }
}
