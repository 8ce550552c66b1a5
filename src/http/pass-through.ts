/** Forwards a request and streams the answer back, byte for byte, with back-pressure both ways. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { TwinrankError } from '../errors.js';
import { requestHeaders, responseHeaders, without } from './header-rules.js';
import { replyWithError } from './error-reply.js';
import { bodyStream, hasBody } from './request-body.js';
import type { RequestRecord } from './request-record.js';
import type { CollectedAnswer, Upstream, UpstreamConnection, UpstreamRequest } from './upstream.js';

/** One request of a client, and the way to the engine that belongs to its connection. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  /** Fires when the client goes away before its answer is complete. */
  readonly signal: AbortSignal;
  /** Names the request in the log, and to the engine where `showsId`. */
  readonly id: string;
  readonly showsId: boolean;
  readonly record: RequestRecord;
}

/** Answers with an error of ours, and records it. */
export function fail(
  { response, record }: Exchange,
  error: TwinrankError,
  extraHeaders: readonly string[] = [],
): void {
  record.outcome = error.code === 'cancelled' ? 'cancelled' : 'failed';
  record.reason = record.outcome === 'failed' ? error.code : '';
  replyWithError(response, error, extraHeaders);
}

export interface PassThroughOptions {
  /** Body to send instead of the request's own stream (it has been read or changed). */
  readonly body?: Readable | Buffer | null;
  /** True where the body's length differs from what the request announced. */
  readonly bodyChanged?: boolean;
  /** Headers that we add to the answer; called when the answer begins, with its status. */
  readonly addHeaders?: (status: number) => readonly string[];
}

/** Request target for the upstream: origin form (RFC 9112 section 3.2), whatever form the client used. */
export function upstreamPath(target: string, prefix: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const path = absolute === null ? target : target.slice(absolute[0].length);
  return prefix + (path.startsWith('/') ? path : `/${path}`);
}

/** The request as it goes upstream. */
export function upstreamRequest(exchange: Exchange, options: PassThroughOptions = {}): UpstreamRequest {
  const { request, upstream } = exchange;
  const headers = requestHeaders(request.rawHeaders, upstream.host);
  const body = options.body !== undefined ? options.body : hasBody(request) ? bodyStream(request) : null;
  return {
    method: request.method ?? 'GET',
    path: upstreamPath(request.url ?? '/', upstream.prefix),
    headers: options.bodyChanged === true ? without(headers, 'content-length', 'content-encoding') : headers,
    body,
  };
}

/** Bodies up to this leave as text, head included: Node writes short text at once and from the stack. */
const ONE_WRITE_BYTES = 12 * 1024;

/**
 * Ends an answer whose head has just been given with what is its whole body. Node would hold head and body as two
 * pieces and gather them in memory of its own, which costs more than all else that is done for a short answer.
 */
function endWhole(response: ServerResponse, body: Buffer | undefined): void {
  if (body === undefined || body.length > ONE_WRITE_BYTES || response.chunkedEncoding) {
    response.end(body);
    return;
  }
  response.write(body.toString('latin1'), 'latin1');
  response.socket?.uncork();
  response.end();
}

/** Answers the client with an answer of the engine's that is held whole. */
export function replyWhole(
  { response }: Exchange,
  answer: CollectedAnswer,
  addHeaders: readonly string[] = [],
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, answer.statusMessage, [
    ...responseHeaders(answer.headers),
    ...addHeaders,
  ]);
  endWhole(response, answer.body);
}

/** An answer's beginning, kept back so that it can leave in one piece with what follows at once. */
interface Beginning {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: readonly string[];
  chunk: Buffer | undefined;
}

/** Resolves when the answer has been handed over whole or the exchange has failed (and been answered). */
export function passThrough(exchange: Exchange, options: PassThroughOptions = {}): Promise<void> {
  const { response, connection } = exchange;
  return new Promise((resolve) => {
    let beginning: Beginning | undefined;
    const begin = (): Buffer | undefined => {
      if (beginning === undefined) return undefined;
      const { status, statusMessage, headers, chunk } = beginning;
      beginning = undefined;
      response.writeHead(status, statusMessage, headers as string[]);
      return chunk;
    };
    const showBeginning = (): void => {
      if (beginning === undefined || response.destroyed || response.headersSent) return;
      const chunk = begin();
      if (chunk === undefined) response.flushHeaders();
      else response.write(chunk);
    };
    const onDrain = (): void => {
      flow.resume();
    };
    const onClose = (): void => {
      if (!response.writableFinished) flow.abort();
    };
    const done = (): void => {
      response.off('drain', onDrain).off('close', onClose);
      resolve();
    };
    const flow = connection.send(upstreamRequest(exchange, options), {
      head: (status, statusMessage, rawHeaders) => {
        const headers = responseHeaders(rawHeaders);
        if (options.addHeaders !== undefined) headers.push(...options.addHeaders(status));
        beginning = { status, statusMessage, headers, chunk: undefined };
        // A short answer comes whole in one read; a slow stream must show its head at once.
        process.nextTick(showBeginning);
      },
      data: (chunk) => {
        if (beginning === undefined) return response.write(chunk);
        if (beginning.chunk === undefined) {
          beginning.chunk = chunk;
          return true;
        }
        showBeginning();
        return response.write(chunk);
      },
      end: () => {
        if (beginning === undefined || response.headersSent) response.end();
        else endWhole(response, begin());
        done();
      },
      failed: (error) => {
        showBeginning();
        fail(exchange, error, options.addHeaders?.(error.status) ?? []);
        done();
      },
    });
    response.on('drain', onDrain).once('close', onClose);
    if (response.destroyed) onClose();
  });
}
