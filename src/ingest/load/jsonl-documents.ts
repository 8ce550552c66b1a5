/** Documents of a JSON lines file. A line is checked by parsing it, but what is passed on are its own bytes. */
import { isUtf8 } from 'node:buffer';
import type { ReadDocument } from './document.js';
import { unwrapFailure } from './failures-file.js';
import { identify } from './identify.js';
import { readLines } from './lines.js';
import type { Line } from './lines.js';

/** What a reader needs to know. */
export interface ReaderOptions {
  /** Field that holds the id; null tries `_id`, then `id`. */
  readonly idField: string | null;
  /** A longer line or record counts as malformed. */
  readonly maxDocumentBytes: number;
}

/** Documents in file order. Blank lines are passed over. */
export async function* jsonlDocuments(
  chunks: AsyncIterable<Buffer>,
  options: ReaderOptions,
): AsyncGenerator<ReadDocument> {
  for await (const line of readLines(chunks, options.maxDocumentBytes)) {
    if (isBlank(line.bytes)) continue;
    yield documentOf(line, options);
  }
}

function documentOf(line: Line, options: ReaderOptions): ReadDocument {
  const malformed = (problem: string): ReadDocument => ({ line: line.number, problem, raw: line.bytes });
  if (line.tooLong) return malformed(`it is longer than ${options.maxDocumentBytes} bytes`);
  const problem = problemOf(line.bytes);
  if (problem !== null) return malformed(problem);
  const unwrapped = unwrapFailure(line.bytes);
  if ('problem' in unwrapped) return malformed(unwrapped.problem);
  // A document that failed keeps its id in the wrapper, however it was found the first time.
  if (unwrapped.id !== undefined) return { line: line.number, id: unwrapped.id, source: unwrapped.source };
  const identified = identify(unwrapped.source, options.idField);
  return 'problem' in identified ? malformed(identified.problem) : { line: line.number, ...identified };
}

function problemOf(bytes: Buffer): string | null {
  if (!isUtf8(bytes)) return 'it is not UTF-8';
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? null : 'it is not a JSON object';
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
