/** The index: the list of those that the viewer may see, and what its mapping says of it. */
import { CallError, listIndices, readMapping } from './api.js';
import { byId, el, input } from './dom.js';
import { askForToken, wantsToken } from './failure.js';
import { indexFacts, readViewer } from './settings.js';
import { state } from './state.js';

/** Of an index that is not set up, or whose mapping may not be read. */
export const DEFAULT_WINDOW = 100;

/** Index whose mapping was read last. @type {string | null} */
let indexRead = null;
/** What the fields were filled with from a mapping: what the viewer has written stays. */
let filled = '';
/** @type {() => string} */
let say = () => '';

/** Fills the list of indices; without the right to list them a name is typed. */
export async function readIndices() {
  try {
    const names = await listIndices(readViewer());
    byId('indices').replaceChildren(...names.map((name) => el('option', { value: name })));
    if (input('index').value === '' && names.length > 0) input('index').value = names[0] ?? '';
    sayOfIndex(() => '');
  } catch (error) {
    byId('indices').replaceChildren();
    if (wantsToken(error)) askForToken();
    const unreachable = error instanceof CallError && (error.status === 0 || error.status >= 500);
    sayOfIndex(() => state.t(unreachable ? 'error_unreachable' : 'indices_refused'));
  }
  indexRead = null;
  if (input('index').value.trim() !== '') await readIndex();
}

/** Reads the mapping of the index that is named, once, and fills the fields from it. */
export async function readIndex() {
  const index = input('index').value.trim();
  if (index === indexRead) return;
  indexRead = index;
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
      sayOfIndex(() => state.t('index_not_set_up'));
      return;
    }
    const { fields, model, window } = facts;
    fillFields(fields.join(', '));
    sayOfIndex(() => state.t('index_ready', { fields: fields.join(', '), model, window }));
  } catch (error) {
    // What could not be read this time is asked for again.
    indexRead = null;
    if (wantsToken(error)) askForToken();
    const status = error instanceof CallError ? error.status : 0;
    const words = status === 404 ? 'index_missing' : status >= 500 ? 'error_unreachable' : 'index_unreadable';
    sayOfIndex(() => state.t(words));
  }
}

/** Says anew, in the language that is chosen, what stands below the index. */
export function repeatIndexState() {
  byId('index-state').textContent = say();
}

/** @param {() => string} words */
function sayOfIndex(words) {
  say = words;
  repeatIndexState();
  input('window').placeholder = String(state.facts?.window ?? DEFAULT_WINDOW);
}

/** @param {string} fields */
function fillFields(fields) {
  fill('fields', filled, fields);
  fill('title-field', firstOf(filled), firstOf(fields));
  filled = fields;
}

/**
 * @param {string} id
 * @param {string} before
 * @param {string} now
 */
function fill(id, before, now) {
  if (input(id).value === '' || input(id).value === before) input(id).value = now;
}

/** @param {string} fields */
function firstOf(fields) {
  return (fields.split(',')[0] ?? '').trim();
}
