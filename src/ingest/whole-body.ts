/** The whole body of a write of one document, where it is short enough to be read here. */
import { contentEncoding } from '../http/header-rules.js';
import { passThrough, type Exchange } from '../http/pass-through.js';
import { bodyStream, readBody } from '../http/request-body.js';
import { skipped } from './ingest-outcome.js';
import { collectPlainBody } from './plain-body.js';

/** What one document may take. */
export interface DocumentLimits {
  /** A plain document above this passes through without a vector. */
  readonly maxDocumentBytes: number;
  /** Beyond this many bytes a document waits for its turn, with the rest unread. */
  readonly longLineBytes: number;
  /** How long to try again what the engine refuses for now or cannot be reached for, in milliseconds. */
  readonly retryForMs: number;
  readonly takeTurn: () => Promise<void>;
  /** Told of each time that the write is sent again. */
  readonly onRetry: () => void;
}

/** The body, uncompressed. A plain one above the limit has passed through when this resolves to undefined. */
export async function wholeBody(exchange: Exchange, limits: DocumentLimits): Promise<Buffer | undefined> {
  const { request } = exchange;
  const { maxDocumentBytes, longLineBytes } = limits;
  const addHeaders = (): string[] => skipped(exchange, 'body_too_large');
  // Held back until it is seen to be too long, it would keep the engine's early refusal from the client.
  if (Number(request.headers['content-length'] ?? 0) > maxDocumentBytes) {
    await passThrough(exchange, { addHeaders });
    return undefined;
  }
  if (contentEncoding(request.rawHeaders) === 'gzip') return collectPlainBody(request, limits);
  const first = await readBody(request, Math.min(longLineBytes, maxDocumentBytes));
  if (first.complete) return first.bytes;
  await limits.takeTurn();
  const rest =
    first.bytes.length > maxDocumentBytes
      ? { bytes: Buffer.alloc(0), complete: false }
      : await readBody(request, maxDocumentBytes - first.bytes.length);
  const read = Buffer.concat([first.bytes, rest.bytes]);
  if (rest.complete) return read;
  await passThrough(exchange, { body: bodyStream(request, read), addHeaders });
  return undefined;
}
