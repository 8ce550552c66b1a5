/**
 * The ingest sidecar: single documents and bulk bodies get their vectors on the way to the engine; everything
 * else passes through. Nothing is acknowledged here: the client gets the engine's own reply.
 */
import { passThrough, type Exchange } from '../http/pass-through.js';
import { hasBody } from '../http/request-body.js';
import type { ExchangeHandler } from '../http/service.js';
import { writeBulk, type BulkDeps, type BulkLimits } from './bulk-write.js';
import { writeDocument } from './document-write.js';
import { skippedHeader } from './ingest-outcome.js';
import { unreadable } from './plain-body.js';
import { Turnstile } from './turnstile.js';
import { createVectorMender } from './update/mend-vector.js';
import { writeUpdate } from './update/update-write.js';
import { createUpdateVectorizer } from './update/vectorize-update.js';
import {
  createVectorizer,
  type ClientVectors,
  type FailurePolicy,
  type VectorizerDeps,
} from './vectorizer.js';
import type { DocumentLimits } from './whole-body.js';
import { writeRoute } from './write-route.js';

export interface IngestOptions extends BulkLimits {
  /** What happens to a document whose text cannot be encoded. */
  readonly onEncodeFailure: FailurePolicy;
  readonly clientVectors: ClientVectors;
  /** A single document above this passes through without a vector. */
  readonly maxDocumentBytes: number;
  /** Bulk requests that are worked on at once; others wait unread, up to a number, and more are refused. */
  readonly maxConcurrentBulks: number;
  readonly maxWaitingBulks: number;
  /** Long lines and documents that are in memory at once. */
  readonly maxLongLines: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_INGEST_OPTIONS: IngestOptions = {
  onEncodeFailure: 'reject',
  clientVectors: 'replace',
  maxDocumentBytes: 100 * MIB,
  maxLineBytes: 100 * MIB,
  longLineBytes: 4 * MIB,
  maxPartBytes: 2 * MIB,
  // Each item is some objects, and parts of many bodies are in memory at once.
  maxPartItems: 2_000,
  maxUncutBytes: 64 * MIB,
  maxPendingBytes: MIB,
  maxPendingItems: 1024,
  overloadPatienceMs: 60_000,
  retryForMs: 10_000,
  maxSilenceMs: 10_000,
  maxConcurrentBulks: 32,
  maxWaitingBulks: 256,
  maxLongLines: 2,
};

/** The handler of the ingest sidecar. */
export function createIngester(deps: VectorizerDeps, options: IngestOptions): ExchangeHandler {
  const vectorize = createVectorizer(deps, options.onEncodeFailure, options.clientVectors);
  const vectorizeUpdate = createUpdateVectorizer(deps, options.onEncodeFailure, options.clientVectors);
  const mend = createVectorMender(deps);
  const turnstile = (what: string, places: number, maxWaiting: number): Turnstile =>
    new Turnstile({ what, places, maxWaiting, patienceMs: options.overloadPatienceMs });
  const longLines = turnstile('long documents', options.maxLongLines, Infinity);
  const bulk: BulkDeps = {
    vectorize,
    vectorizeLeniently: createVectorizer(deps, 'pass', options.clientVectors),
    updates: { vectorize: vectorizeUpdate, mend },
    admission: turnstile('bulk requests', options.maxConcurrentBulks, options.maxWaitingBulks),
    longLines,
  };
  return async (exchange) => {
    const { request } = exchange;
    const route = writeRoute(request.method ?? '', request.url ?? '');
    if (route === undefined || !hasBody(request)) return passThrough(exchange);
    const skip = (reason: string): Promise<void> =>
      passThrough(exchange, { addHeaders: () => skippedHeader(reason) });
    if (route.kind === 'bulk_stream') return skip(route.kind);
    const reason = unreadable(request.rawHeaders);
    if (reason !== undefined) return skip(reason);
    if (route.kind === 'bulk') return writeBulk(exchange, route.index, bulk, options);
    return whileLong(exchange, longLines, (takeTurn) => {
      const limits: DocumentLimits = { ...options, takeTurn };
      return route.kind === 'document'
        ? writeDocument(exchange, route.index, vectorize, limits)
        : writeUpdate(exchange, route, vectorizeUpdate, mend, limits);
    });
  };
}

/** Gives the turn back that the work on a long document takes. */
async function whileLong(
  exchange: Exchange,
  longLines: Turnstile,
  work: (takeTurn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let leave: (() => void) | undefined;
  try {
    await work(async () => {
      leave ??= await longLines.enter(exchange.signal);
    });
  } finally {
    leave?.();
  }
}
