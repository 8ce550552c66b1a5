/**
 * The text that a search asks for, found in the engine's query DSL. The table says for each query type where its
 * text is or which of its parts are queries themselves. Filters and must_not give no text: they say what a hit
 * must or must not be, not what the user typed.
 */
import { isRecord } from '../search-engine/json-value.js';
import { plainQueryString, plainSimpleQueryString } from './query-string-text.js';

type Visit = (query: unknown) => void;
type TextRule = (body: unknown, emit: (text: unknown) => void, visit: Visit) => void;

/** `{ field: "text" }` or `{ field: { query: "text" } }`. */
const byField =
  (key: string): TextRule =>
  (body, emit) => {
    if (!isRecord(body)) return;
    for (const clause of Object.values(body)) emit(isRecord(clause) ? clause[key] : clause);
  };

/** `{ query: "text", … }`. */
const byKey =
  (key: string, plain: (text: string) => string = (text) => text): TextRule =>
  (body, emit) => {
    const value = isRecord(body) ? body[key] : undefined;
    emit(typeof value === 'string' ? plain(value) : value);
  };

/** Parts that are queries, or lists of them. */
const within =
  (...keys: readonly string[]): TextRule =>
  (body, _emit, visit) => {
    if (!isRecord(body)) return;
    for (const key of keys) for (const query of [body[key]].flat()) visit(query);
  };

/** Where each query type keeps its text. A type that is not here has none. */
export const QUERY_TEXT: Readonly<Record<string, TextRule>> = {
  match: byField('query'),
  match_phrase: byField('query'),
  match_phrase_prefix: byField('query'),
  match_bool_prefix: byField('query'),
  multi_match: byKey('query'),
  combined_fields: byKey('query'),
  query_string: byKey('query', plainQueryString),
  simple_query_string: byKey('query', plainSimpleQueryString),
  neural: byField('query_text'),
  bool: within('must', 'should'),
  dis_max: within('queries'),
  hybrid: within('queries'),
  function_score: within('query'),
  script_score: within('query'),
  constant_score: within('filter'),
  nested: within('query'),
  boosting: within('positive'),
};

/** Engines refuse deeper queries themselves; here the bound keeps a hostile body from exhausting the stack. */
const MAX_DEPTH = 100;

/** Distinct texts of a query in reading order, joined by a space; undefined where there is none. */
export function queryText(query: unknown): string | undefined {
  const texts = new Set<string>();
  collect(query, texts, 0);
  return texts.size === 0 ? undefined : [...texts].join(' ');
}

function collect(query: unknown, texts: Set<string>, depth: number): void {
  if (!isRecord(query) || depth > MAX_DEPTH) return;
  for (const [type, body] of Object.entries(query)) {
    if (!Object.hasOwn(QUERY_TEXT, type)) continue;
    QUERY_TEXT[type]?.(
      body,
      (text) => {
        const value =
          typeof text === 'string'
            ? text.trim()
            : typeof text === 'number' || typeof text === 'boolean'
              ? String(text)
              : '';
        if (value !== '') texts.add(value);
      },
      (inner) => {
        collect(inner, texts, depth + 1);
      },
    );
  }
}
