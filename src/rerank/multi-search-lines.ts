/** The lines of an `_msearch` body: a header and a search by turns, each ended by a newline. */
import { isRecord } from '../search-engine/json-value.js';

/** One search. `header` and `body` are without their newline. */
export interface SearchLine {
  readonly header: Buffer;
  readonly body: Buffer;
  /** Index expression that the search goes to. */
  readonly index: string;
}

/** Undefined where the body is not of this form: the engine shall judge it as it came. */
export function multiSearchLines(body: Buffer, defaultIndex: string): SearchLine[] | undefined {
  const lines: SearchLine[] = [];
  let at = 0;
  while (at < body.length) {
    const headerEnd = body.indexOf(0x0a, at);
    const bodyEnd = headerEnd === -1 ? -1 : body.indexOf(0x0a, headerEnd + 1);
    if (bodyEnd === -1) return undefined;
    const header = body.subarray(at, headerEnd);
    const index = indexOf(header, defaultIndex);
    if (index === undefined) return undefined;
    lines.push({ header, body: body.subarray(headerEnd + 1, bodyEnd), index });
    at = bodyEnd + 1;
  }
  return lines.length === 0 ? undefined : lines;
}

/** The index that a header names, as one expression; an empty header leaves the path's. */
function indexOf(header: Buffer, defaultIndex: string): string | undefined {
  const text = header.toString('utf8').trim();
  if (text === '') return defaultIndex;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  const named: unknown = parsed['index'] ?? parsed['indices'];
  if (named === undefined || named === null) return defaultIndex;
  const list: unknown[] = [named].flat();
  return list.every((name) => typeof name === 'string') ? list.join(',') : undefined;
}
