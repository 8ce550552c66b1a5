/**
 * The ingest sidecar: single documents and bulk bodies get their vectors on the way to the engine; everything
 * else passes through. Nothing is acknowledged here: the client gets the engine's own reply.
 */
import { passThrough } from '../http/pass-through.js';
import { hasBody } from '../http/request-body.js';
import type { ExchangeHandler } from '../http/service.js';
import { writeBulk, type BulkLimits } from './bulk-write.js';
import { writeDocument } from './document-write.js';
import { skippedHeader } from './ingest-outcome.js';
import { unreadable } from './plain-body.js';
import { createVectorMender } from './update/mend-vector.js';
import { writeUpdate } from './update/update-write.js';
import { createUpdateVectorizer } from './update/vectorize-update.js';
import { createVectorizer, type FailurePolicy, type VectorizerDeps } from './vectorizer.js';
import { writeRoute } from './write-route.js';

export interface IngestOptions extends BulkLimits {
  /** What happens to a document whose text cannot be encoded. */
  readonly onEncodeFailure: FailurePolicy;
  /** A single document above this passes through without a vector. */
  readonly maxDocumentBytes: number;
}

export const DEFAULT_INGEST_OPTIONS: IngestOptions = {
  onEncodeFailure: 'reject',
  maxDocumentBytes: 100 * 1024 * 1024,
  maxLineBytes: 100 * 1024 * 1024,
  maxPendingBytes: 8 * 1024 * 1024,
  maxPendingItems: 1024,
  overloadPatienceMs: 60_000,
};

/** The handler of the ingest sidecar. */
export function createIngester(deps: VectorizerDeps, options: IngestOptions): ExchangeHandler {
  const vectorize = createVectorizer(deps, options.onEncodeFailure);
  const vectorizeUpdate = createUpdateVectorizer(deps, options.onEncodeFailure);
  const mend = createVectorMender(deps);
  return async (exchange) => {
    const { request } = exchange;
    const route = writeRoute(request.method ?? '', request.url ?? '');
    if (route === undefined || !hasBody(request)) return passThrough(exchange);
    const reason = unreadable(request.rawHeaders);
    if (reason !== undefined) return passThrough(exchange, { addHeaders: () => skippedHeader(reason) });
    if (route.kind === 'bulk') return writeBulk(exchange, route.index, vectorize, options);
    return route.kind === 'document'
      ? writeDocument(exchange, route.index, vectorize, options.maxDocumentBytes)
      : writeUpdate(exchange, route, vectorizeUpdate, mend, options.maxDocumentBytes);
  };
}
