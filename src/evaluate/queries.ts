/** The queries of an evaluation. */
import { TwinrankError } from '../errors.js';

export interface Query {
  readonly id: string;
  readonly text: string;
}

/**
 * Reads JSON lines `{"_id" | "id": ..., "text" | "query": ...}`, or `id<TAB>text` lines.
 * Throws `bad_input_file` with the line that cannot be read or repeats an id.
 */
export function parseQueries(content: string, name: string): Query[] {
  const queries: Query[] = [];
  const ids = new Set<string>();
  content.split(/\r?\n/).forEach((raw, i) => {
    const line = (i === 0 ? raw.replace(/^\uFEFF/, '') : raw).trim();
    if (line === '') return;
    const query = line.startsWith('{') ? fromJson(line) : fromTsv(line);
    const refuse = (what: string): TwinrankError =>
      new TwinrankError('bad_input_file', `${name}:${i + 1}: ${what}`);
    if (query === null) throw refuse('expected {"_id": "...", "text": "..."} or "id<TAB>text".');
    if (ids.has(query.id)) throw refuse(`the query id "${query.id}" is used twice.`);
    ids.add(query.id);
    queries.push(query);
  });
  if (queries.length === 0) throw new TwinrankError('bad_input_file', `${name}: holds no queries.`);
  return queries;
}

function fromJson(line: string): Query | null {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const id = value['_id'] ?? value['id'];
  const text = value['text'] ?? value['query'];
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof text !== 'string') return null;
  return { id: String(id), text };
}

function fromTsv(line: string): Query | null {
  const tab = line.indexOf('\t');
  if (tab <= 0) return null;
  return { id: line.slice(0, tab).trim(), text: line.slice(tab + 1).trim() };
}
