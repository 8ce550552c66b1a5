/**
 * The ingest sidecar: single documents and bulk bodies get their vectors on the way to the engine; everything
 * else passes through. Nothing is acknowledged here: the client gets the engine's own reply.
 */
import { asTwinrankError } from '../errors.js';
import { fail, passThrough, type Exchange } from '../http/pass-through.js';
import type { ExchangeHandler } from '../http/service.js';
import { hasBody } from '../http/request-body.js';
import { writeBulk, type BulkDeps, type BulkLimits } from './bulk-write.js';
import { writeDocument } from './document-write.js';
import { skipped, type IngestSkip } from './ingest-outcome.js';
import type { BulkLine, IngestObserver } from './ingest-observer.js';
import { unreadable } from './plain-body.js';
import { silent } from './silent-sender.js';
import { Turnstile } from './turnstile.js';
import { createVectorMender } from './update/mend-vector.js';
import { writeUpdate } from './update/update-write.js';
import { createUpdateVectorizer } from './update/vectorize-update.js';
import {
  createVectorizer,
  type ClientVectors,
  type FailurePolicy,
  type Vectorized,
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

/** What the sidecar works with. */
export interface IngestDeps extends VectorizerDeps {
  readonly observer?: IngestObserver;
}

/** The sidecar's handler, and how many bulk requests it has now. */
export interface Ingester extends ExchangeHandler {
  bulkLine(): BulkLine;
}

/** The ingest sidecar. */
export function createIngester(deps: IngestDeps, options: IngestOptions): Ingester {
  const { observer } = deps;
  const counted = countedBy(observer);
  const vectorize = counted(createVectorizer(deps, options.onEncodeFailure, options.clientVectors));
  const vectorizeUpdate = counted(
    createUpdateVectorizer(deps, options.onEncodeFailure, options.clientVectors),
  );
  const onRetry = (): void => observer?.retried();
  const mend = createVectorMender(deps);
  const turnstile = (what: string, places: number, maxWaiting: number): Turnstile =>
    new Turnstile({
      what,
      places,
      maxWaiting,
      patienceMs: options.overloadPatienceMs,
      maxSilenceMs: options.maxSilenceMs,
    });
  const longLines = turnstile('long documents', options.maxLongLines, Infinity);
  const bulk: BulkDeps = {
    vectorize,
    vectorizeLeniently: counted(createVectorizer(deps, 'pass', options.clientVectors)),
    updates: { vectorize: vectorizeUpdate, mend },
    admission: turnstile('bulk requests', options.maxConcurrentBulks, options.maxWaitingBulks),
    longLines,
    onRetry,
  };
  const handle = async (exchange: Exchange): Promise<void> => {
    const { request, record } = exchange;
    const route = writeRoute(request.method ?? '', request.url ?? '');
    if (route === undefined || !hasBody(request)) return passThrough(exchange);
    const skip = (reason: IngestSkip): Promise<void> =>
      passThrough(exchange, { addHeaders: () => skipped(exchange, reason) });
    if (route.kind === 'bulk_stream') return skip(route.kind);
    record.kind = route.kind;
    const reason = unreadable(request.rawHeaders);
    if (reason !== undefined) return skip(reason);
    record.outcome = 'ingested';
    if (route.kind === 'bulk') return writeBulk(exchange, route.index, bulk, options);
    return whileLong(exchange, longLines, options.maxSilenceMs, (takeTurn) => {
      const limits: DocumentLimits = { ...options, takeTurn, onRetry };
      return route.kind === 'document'
        ? writeDocument(exchange, route.index, vectorize, limits)
        : writeUpdate(exchange, route, vectorizeUpdate, mend, limits);
    });
  };
  const { admission } = bulk;
  const bulkLine = (): BulkLine => ({
    underWay: admission.inside,
    waiting: admission.waiting,
    maxWaiting: options.maxWaitingBulks,
  });
  return Object.assign(handle, { bulkLine });
}

/** Counts what becomes of each document. One that finds no room comes again, and is counted then. */
function countedBy(observer: IngestObserver | undefined) {
  return <Arguments extends readonly unknown[], Result extends Vectorized>(
      work: (...given: Arguments) => Promise<Result>,
    ): ((...given: Arguments) => Promise<Result>) =>
    async (...given) => {
      try {
        const done = await work(...given);
        observer?.document(done.outcome);
        return done;
      } catch (error) {
        const { code } = asTwinrankError(error);
        if (code !== 'overloaded' && code !== 'cancelled') observer?.document('rejected');
        throw error;
      }
    };
}

/** Gives the turn back that the work on a long document takes, at the latest when its sender is silent too long. */
async function whileLong(
  exchange: Exchange,
  longLines: Turnstile,
  maxSilenceMs: number,
  work: (takeTurn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { request, response } = exchange;
  let leave: (() => void) | undefined;
  let isAnswered = false;
  const onSilence = (): void => {
    isAnswered = true;
    // Node would tell nobody who still reads the body that with its answer the connection has ended.
    response.once('close', () => request.destroy());
    fail(exchange, silent(maxSilenceMs), ['connection', 'close']);
  };
  try {
    await work(async () => {
      leave ??= await longLines.enter(exchange.signal, { request, onSilence });
    });
  } catch (error) {
    if (!isAnswered) throw error;
  } finally {
    leave?.();
  }
}
