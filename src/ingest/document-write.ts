/** `_doc` and `_create`: one document gets its vector and goes on; the engine's reply is the client's. */
import { contentEncoding } from '../http/header-rules.js';
import { passThrough, type Exchange } from '../http/pass-through.js';
import { bodyStream, readBody } from '../http/request-body.js';
import { ingestedHeader, skippedHeader } from './ingest-outcome.js';
import { collectPlainBody } from './plain-body.js';
import type { Vectorize } from './vectorizer.js';

/** Handles a document write. A plain document above `maxBytes` passes through without a vector. */
export async function writeDocument(
  exchange: Exchange,
  index: string,
  vectorize: Vectorize,
  maxBytes: number,
): Promise<void> {
  const { request, signal } = exchange;
  // Held back until it is seen to be too long, it would keep the engine's early refusal from the client.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    return passThrough(exchange, { addHeaders: () => skippedHeader('body_too_large') });
  let source: Buffer;
  if (contentEncoding(request.rawHeaders) === 'gzip') source = await collectPlainBody(request, maxBytes);
  else {
    const read = await readBody(request, maxBytes);
    if (!read.complete) {
      return passThrough(exchange, {
        body: bodyStream(request, read.bytes),
        addHeaders: () => skippedHeader('body_too_large'),
      });
    }
    source = read.bytes;
  }
  const done = await vectorize(index, source, signal);
  return passThrough(exchange, {
    body: done.source,
    bodyChanged: true,
    addHeaders: () => ingestedHeader({ [done.outcome]: 1 }, 0),
  });
}
