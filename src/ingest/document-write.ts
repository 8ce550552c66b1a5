/** `_doc` and `_create`: one document gets its vector and goes on; the engine's reply is the client's. */
import { passThrough, type Exchange } from '../http/pass-through.js';
import { ingestedHeader } from './ingest-outcome.js';
import type { Vectorize } from './vectorizer.js';
import { wholeBody } from './whole-body.js';

/** Handles a document write. A plain document above `maxBytes` passes through without a vector. */
export async function writeDocument(
  exchange: Exchange,
  index: string,
  vectorize: Vectorize,
  maxBytes: number,
): Promise<void> {
  const source = await wholeBody(exchange, maxBytes);
  if (source === undefined) return;
  const done = await vectorize(index, source, exchange.signal);
  return passThrough(exchange, {
    body: done.source,
    bodyChanged: true,
    addHeaders: () => ingestedHeader({ [done.outcome]: 1 }, 0),
  });
}
