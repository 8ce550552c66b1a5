/**
 * `_bulk`: the body streams through, documents get their vectors on the way, and the engine's reply is the
 * client's, completed by the items that could not be sent.
 */
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { TwinrankError } from '../errors.js';
import { replyWithError } from '../http/error-reply.js';
import { responseHeaders, without } from '../http/header-rules.js';
import { upstreamRequest, type Exchange } from '../http/pass-through.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import { bulkLines } from './bulk-lines.js';
import { allRejectedReply, spliceRejected } from './bulk-reply.js';
import { emptyTally, transformBulk, type BulkTally } from './bulk-stream.js';
import { ingestedHeader } from './ingest-outcome.js';
import { plainBody } from './plain-body.js';
import { plainReply, readableReply } from './plain-reply.js';
import type { Vectorize } from './vectorizer.js';

/** A bulk reply is held only where rejected items must be put into it. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024;

/** Limits of one bulk request. */
export interface BulkLimits {
  readonly maxLineBytes: number;
  readonly maxPendingBytes: number;
  readonly maxPendingItems: number;
  readonly overloadPatienceMs: number;
}

/** Handles a bulk write. */
export async function writeBulk(
  exchange: Exchange,
  defaultIndex: string | undefined,
  vectorize: Vectorize,
  options: BulkLimits,
): Promise<void> {
  const started = performance.now();
  const tally = emptyTally();
  const lines = bulkLines(plainBody(exchange.request), options.maxLineBytes);
  const body = Readable.from(
    transformBulk(lines, vectorize, tally, {
      defaultIndex,
      signal: exchange.signal,
      maxPendingBytes: options.maxPendingBytes,
      maxPendingItems: options.maxPendingItems,
      overloadPatienceMs: options.overloadPatienceMs,
    }),
    { objectMode: false },
  );
  let failure: unknown;
  body.on('error', (error) => {
    failure = error;
  });
  const answer = await exchangeBulk(exchange, body, tally, () => failure, started);
  if (answer !== undefined) replyWithError(exchange.response, answer);
}

/**
 * Sends the stream and hands the reply on: streamed where nothing was rejected, else held and completed. The
 * engine answers only after the last line, so by then it is known which of the two it is.
 */
function exchangeBulk(
  exchange: Exchange,
  body: Readable,
  tally: BulkTally,
  failure: () => unknown,
  started: number,
): Promise<TwinrankError | undefined> {
  const { response, connection, signal } = exchange;
  const outcome = (): string[] => ingestedHeader(tally.outcomes, tally.rejected.length);
  return new Promise((resolve) => {
    const held: Buffer[] = [];
    let heldBytes = 0;
    let head: { status: number; statusMessage: string; headers: string[] } | undefined;
    const onDrain = (): void => {
      flow.resume();
    };
    const onAbort = (): void => {
      flow.abort();
    };
    const done = (error?: TwinrankError): void => {
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      resolve(error);
    };
    const flow = connection.send(upstreamRequestOf(exchange, body), {
      head: (status, statusMessage, rawHeaders) => {
        const headers = responseHeaders(rawHeaders);
        if (tally.rejected.length > 0) head = { status, statusMessage, headers };
        else response.writeHead(status, statusMessage, [...headers, ...outcome()]);
      },
      data: (chunk) => {
        if (head === undefined) return response.write(chunk);
        held.push(chunk);
        heldBytes += chunk.length;
        if (heldBytes > MAX_REPLY_BYTES) flow.abort();
        return true;
      },
      end: () => {
        if (head === undefined) response.end();
        else
          sendCompleted(exchange, head, Buffer.concat(held), tally, outcome(), performance.now() - started);
        done();
      },
      failed: (error) => {
        const cause = failure();
        // A body that was never begun is still the client's to send, and ours to let go.
        exchange.request.resume();
        done(cause instanceof TwinrankError ? cause : error);
      },
    });
    response.on('drain', onDrain);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function sendCompleted(
  exchange: Exchange,
  head: { readonly status: number; readonly statusMessage: string; readonly headers: string[] },
  reply: Buffer,
  tally: BulkTally,
  outcome: readonly string[],
  tookMs: number,
): void {
  const { response } = exchange;
  const plain = plainReply(head.headers, reply);
  const { status, statusMessage, body } = completedReply(head, plain, tally, tookMs);
  const headers = [
    ...without(head.headers, 'content-length', 'content-encoding'),
    'content-length',
    String(body.length),
    ...outcome,
  ];
  response.writeHead(status, statusMessage, headers);
  response.end(body);
}

function completedReply(
  head: { readonly status: number; readonly statusMessage: string },
  reply: Buffer,
  tally: BulkTally,
  tookMs: number,
): { readonly status: number; readonly statusMessage: string; readonly body: Buffer } {
  // An empty bulk body is an error to the engine, but the client sent items and shall read of each.
  if (tally.sent === 0 && head.status === 400)
    return { status: 200, statusMessage: 'OK', body: allRejectedReply(tally.rejected, tookMs) };
  if (head.status !== 200) return { ...head, body: reply };
  try {
    return { ...head, body: spliceRejected(reply, tally.rejected) };
  } catch (error) {
    if (error instanceof JsonScanError) return { ...head, body: reply };
    throw error;
  }
}

function upstreamRequestOf(exchange: Exchange, body: Readable): ReturnType<typeof upstreamRequest> {
  const request = upstreamRequest(exchange, { body, bodyChanged: true });
  // The reply may have to be completed.
  return { ...request, headers: readableReply(request.headers) };
}
