/** All tables, in the order in which they run: later ones meet what earlier ones made. */
import type { Family } from '../request.js';
import { BULK } from './bulk.js';
import { DOCUMENTS } from './documents.js';
import { ALIASES, CLUSTER, INDICES } from './indices.js';
import { AROUND_SEARCH, CURSORS, MULTI_SEARCH, TEMPLATES } from './search-apis.js';
import { SEARCH_KEYS, SEARCH_PAGES, SEARCH_PARAMETERS, SEARCH_QUERIES, SEARCH_TARGETS } from './search.js';
import { HEADERS, WIRE_FORMS } from './wire-forms.js';

/** Families that only read: they run without and with settings. */
export const READING: readonly Family[] = [
  SEARCH_QUERIES,
  SEARCH_KEYS,
  SEARCH_PARAMETERS,
  SEARCH_PAGES,
  SEARCH_TARGETS,
  MULTI_SEARCH,
  TEMPLATES,
  CURSORS,
  AROUND_SEARCH,
];

/** Families that write as well. */
export const WRITING: readonly Family[] = [DOCUMENTS, BULK, INDICES, ALIASES];

export const FAMILIES: readonly Family[] = [...READING, ...WRITING, CLUSTER, HEADERS, WIRE_FORMS];
