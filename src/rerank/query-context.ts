/** The query text that a request names itself: `ext.rerank.query_context`, in OpenSearch's own words. */
import { TwinrankError } from '../errors.js';
import { isRecord } from '../search-engine/json-value.js';

/** Longer than any path through a body that an engine takes; following one costs the square of its length. */
const LONGEST_PATH = 1_000;

/**
 * Text of `query_context.query_text`, or of what `query_context.query_text_path` points to in the search body, such
 * as `query.bool.must.0.match.title.query`. Undefined without a block. Throws `bad_request` for a block without
 * either, with both, or with a path that leads to no text.
 */
export function queryContextText(rerank: unknown, searchBody: unknown): string | undefined {
  if (rerank === undefined) return undefined;
  const context = isRecord(rerank) ? rerank['query_context'] : undefined;
  if (!isRecord(context))
    throw new TwinrankError('bad_request', 'ext.rerank must have an object "query_context".');
  const { query_text: text, query_text_path: path } = context;
  if ((text === undefined) === (path === undefined)) {
    throw new TwinrankError(
      'bad_request',
      'ext.rerank.query_context must have either "query_text" or "query_text_path".',
    );
  }
  if (path === undefined) {
    if (typeof text === 'string' && text.trim() !== '') return text;
    throw new TwinrankError('bad_request', 'ext.rerank.query_context.query_text must be a text.');
  }
  const isPath = typeof path === 'string' && path.length <= LONGEST_PATH;
  const found = isPath ? follow(searchBody, path.split('.')) : undefined;
  if (typeof found === 'string' && found.trim() !== '') return found;
  throw new TwinrankError(
    'bad_request',
    `ext.rerank.query_context.query_text_path leads to no text in the search body: ${typeof path === 'string' ? JSON.stringify(path.slice(0, 200)) : `it is no text`}.`,
  );
}

/** Steps into objects by key and into lists by number; a key may itself hold dots, as field names do. */
function follow(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value;
  if (Array.isArray(value))
    return /^\d+$/.test(path[0] ?? '') ? follow(value[Number(path[0])], path.slice(1)) : undefined;
  if (!isRecord(value)) return undefined;
  for (let length = 1; length <= path.length; length++) {
    const key = path.slice(0, length).join('.');
    if (!Object.hasOwn(value, key)) continue;
    const found = follow(value[key], path.slice(length));
    if (found !== undefined) return found;
  }
  return undefined;
}
