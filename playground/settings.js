/** What the form of settings says, as what is sent. */
import { byId, input } from './dom.js';

/**
 * @typedef {object} Settings
 * @property {string} index
 * @property {string[]} fields that are searched
 * @property {string} titleField that is shown
 * @property {string} wish request header x-twinrank of the reranked search
 * @property {number} window hits that may be reranked
 * @property {number} shown hits in each column
 */

/** Header of the search that gives the engine's own order. */
export const ENGINE_WISH = 'off';

/**
 * @param {number} indexWindow window of the index, where the form names none
 * @returns {Settings}
 */
export function readSettings(indexWindow) {
  const fields = input('fields')
    .value.split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '');
  const searched = fields.length === 0 ? ['title'] : fields;
  const own = Number.parseInt(input('window').value, 10);
  return {
    index: input('index').value.trim(),
    fields: searched,
    titleField: input('title-field').value.trim() || (searched[0] ?? 'title').replace(/\^.*$/, ''),
    wish: wishOf(Number.isFinite(own) ? own : null),
    window: Number.isFinite(own) ? own : indexWindow,
    shown: Number(input('shown').value),
  };
}

/**
 * @param {number | null} window
 * @returns {string}
 */
function wishOf(window) {
  if (!input('enabled').checked) return ENGINE_WISH;
  const blend = input('blend-mode').value;
  return [
    ...(window === null ? [] : [`window=${window}`]),
    ...(blend === 'auto' ? ['blend=auto'] : []),
    ...(blend === 'weight' ? [`blend=${input('weight').value}`] : []),
    'scores',
    ...(input('explain').checked ? ['explain'] : []),
  ].join('; ');
}

/**
 * The search of both sides, as `twinrank eval` puts it.
 * @param {string} text
 * @param {string[]} fields
 * @param {number} size
 * @param {boolean | string[]} source
 * @returns {object}
 */
export function searchBody(text, fields, size, source) {
  const query =
    fields.length === 1 ? { match: { [fields[0] ?? '']: text } } : { multi_match: { query: text, fields } };
  return { query, size, _source: source };
}

/**
 * Credentials as the form has them.
 * @returns {import('./api.js').Viewer}
 */
export function readViewer() {
  const own = input('authorization').value.trim();
  const user = input('user').value;
  const basic = user === '' ? null : `Basic ${base64(`${user}:${input('password').value}`)}`;
  return { authorization: own === '' ? basic : own, token: input('token').value.trim() || null };
}

/**
 * Of the UTF-8 bytes, as RFC 7617 has it.
 * @param {string} text
 * @returns {string}
 */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** Shows the weight's slider where a weight of one's own is chosen. */
export function showWeight() {
  byId('weight-row').hidden = input('blend-mode').value !== 'weight';
  byId('weight-shown').textContent = Number(input('weight').value).toFixed(2);
}

/**
 * @typedef {object} IndexFacts
 * @property {string[]} fields
 * @property {string} model
 * @property {number} window
 */

/**
 * What an index says about itself: the first of its mappings that is set up.
 * @param {any} mappings answer of `_mapping`
 * @returns {IndexFacts | null}
 */
export function indexFacts(mappings) {
  for (const { mappings: mapping } of Object.values(mappings)) {
    const block = mapping?._meta?.twinrank;
    if (Array.isArray(block?.text_fields))
      return {
        fields: block.text_fields.map(String),
        model: String(block.model),
        window: Number(block.window) || 100,
      };
  }
  return null;
}
