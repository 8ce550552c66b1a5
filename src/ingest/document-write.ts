/** `_doc` and `_create`: one document gets its vector and goes on; the engine's reply is the client's. */
import { replyWhole, type Exchange } from '../http/pass-through.js';
import { ingestedHeader } from './ingest-outcome.js';
import { RetryWindow } from './retry-window.js';
import { sendWrite } from './send-write.js';
import type { Vectorize } from './vectorizer.js';
import { wholeBody, type DocumentLimits } from './whole-body.js';

/** Handles a document write. */
export async function writeDocument(
  exchange: Exchange,
  index: string,
  vectorize: Vectorize,
  limits: DocumentLimits,
): Promise<void> {
  const source = await wholeBody(exchange, limits);
  if (source === undefined) return;
  const { signal } = exchange;
  const done = await vectorize(index, source, signal);
  const retry = new RetryWindow(limits.retryForMs, Date.now, limits.onRetry);
  const answer = await sendWrite(exchange, { body: done.source }, { retry, signal });
  replyWhole(exchange, answer, ingestedHeader({ [done.outcome]: 1 }, 0));
}
