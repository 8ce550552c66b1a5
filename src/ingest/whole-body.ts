/** The whole body of a write of one document, where it is short enough to be read here. */
import { contentEncoding } from '../http/header-rules.js';
import { passThrough, type Exchange } from '../http/pass-through.js';
import { bodyStream, readBody } from '../http/request-body.js';
import { skippedHeader } from './ingest-outcome.js';
import { collectPlainBody } from './plain-body.js';

/** The body, uncompressed. A plain one above `maxBytes` has passed through when this resolves to undefined. */
export async function wholeBody(exchange: Exchange, maxBytes: number): Promise<Buffer | undefined> {
  const { request } = exchange;
  const addHeaders = (): string[] => skippedHeader('body_too_large');
  // Held back until it is seen to be too long, it would keep the engine's early refusal from the client.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    await passThrough(exchange, { addHeaders });
    return undefined;
  }
  if (contentEncoding(request.rawHeaders) === 'gzip') return collectPlainBody(request, maxBytes);
  const read = await readBody(request, maxBytes);
  if (read.complete) return read.bytes;
  await passThrough(exchange, { body: bodyStream(request, read.bytes), addHeaders });
  return undefined;
}
