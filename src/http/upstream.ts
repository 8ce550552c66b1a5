/**
 * HTTP to the engine, over undici. Every client connection gets an upstream connection of its own: what one caller
 * does to its connection (half a body, a malformed request, a hang) can then never reach another caller.
 */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Client, errors, type Dispatcher } from 'undici';
import { asTwinrankError, TwinrankError, type ErrorCode } from '../errors.js';
import { collectAnswer, type CollectLimits } from './collect-answer.js';
import { largeReads } from './large-reads.js';

export interface UpstreamOptions {
  readonly url: URL;
  readonly caFile?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly connectTimeoutMs?: number;
  readonly observer?: UpstreamObserver;
}

/** Told of every answer of the engine, and of every request that got none though its caller was there. */
export interface UpstreamObserver {
  answered(status: number): void;
  failed(code: ErrorCode): void;
}

/** One request as it goes upstream. `path` starts with "/" and is already encoded. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Readable | Buffer | null;
}

/** Events of one answer, in this order: head, data (any number), end; or failed at any point. */
export interface AnswerHandler {
  head(status: number, statusMessage: string, rawHeaders: string[]): void;
  /** Returning false pauses the answer until `flow.resume()`. */
  data(chunk: Buffer): boolean;
  end(): void;
  failed(error: TwinrankError): void;
}

/** Hold on a request under way. */
export interface Flow {
  resume(): void;
  abort(): void;
}

/** No whole answer came. */
export class UpstreamError extends TwinrankError {
  /** False where no byte of the request has left: no connection was had. */
  readonly connected: boolean;

  constructor(code: ErrorCode, message: string, connected: boolean, options?: { cause?: unknown }) {
    super(code, message, options);
    this.connected = connected;
  }
}

/** A whole answer in memory. */
export interface CollectedAnswer {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: string[];
  readonly body: Buffer;
}

export interface UpstreamConnection {
  send(request: UpstreamRequest, handler: AnswerHandler): Flow;
  /** Sends and collects; `body_too_large` above `maxBytes`, `cancelled` when the signal fires. */
  collect(request: UpstreamRequest, limits: CollectLimits): Promise<CollectedAnswer>;
  close(): void;
}

export interface Upstream {
  /** Address without credentials, for messages and logs. */
  readonly address: string;
  /** Value of the Host header. */
  readonly host: string;
  /** Path prefix of the upstream address, without a slash at its end. */
  readonly prefix: string;
  connect(): UpstreamConnection;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** The upstream at `options.url`. Credentials in the URL are not used here: callers bring their own. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { url } = options;
  const address = `${url.origin}${url.pathname.replace(/\/$/, '')}`;
  const tls = {
    ...(options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, 'utf8') }),
    ...(options.insecure === true ? { rejectUnauthorized: false } : {}),
  };
  return {
    address,
    host: url.host,
    prefix: url.pathname.replace(/\/$/, ''),
    connect: () =>
      createConnection(
        new Client(url.origin, {
          pipelining: 1,
          // The engine and the caller decide how long an answer may take; a caller who leaves aborts it.
          headersTimeout: 0,
          bodyTimeout: 0,
          keepAliveTimeout: 600_000,
          keepAliveMaxTimeout: 600_000,
          maxHeaderSize: 64 * 1024,
          connect: {
            ...(url.protocol === 'https:' ? tls : largeReads()),
            timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
          },
        }),
        address,
        options.observer,
      ),
  };
}

function createConnection(
  client: Client,
  address: string,
  observer: UpstreamObserver | undefined,
): UpstreamConnection {
  const send = (request: UpstreamRequest, handler: AnswerHandler): Flow => {
    let cancel: ((reason: Error) => void) | undefined;
    let carryOn: (() => void) | undefined;
    let aborted = false;
    let answered = 0;
    let connected = false;
    const flow: Flow = {
      resume: () => carryOn?.(),
      abort: () => {
        aborted = true;
        cancel?.(new Error('the caller went away'));
      },
    };
    try {
      client.dispatch(
        {
          method: request.method as Dispatcher.HttpMethod,
          path: request.path,
          headers: request.headers as string[],
          body: request.body,
        },
        // undici's newer form of handler parses all headers into an object, which nobody here would read.
        {
          onConnect(abort) {
            cancel = abort;
            connected = true;
            if (aborted) abort(new Error('the caller went away'));
          },
          onHeaders(status, rawHeaders, resume, statusMessage) {
            // Interim answers are for the connection that they came on.
            if (status < 200) return true;
            answered = status;
            observer?.answered(status);
            carryOn = resume;
            handler.head(
              status,
              statusMessage,
              rawHeaders.map((part) => part.toString('latin1')),
            );
            return true;
          },
          onData: (chunk) => handler.data(chunk),
          onComplete() {
            handler.end();
          },
          onError(error) {
            // undici leaves a body that it could not begin to send as it is, and the client would go on holding it.
            if (request.body !== null && !Buffer.isBuffer(request.body)) request.body.destroy();
            // The Content-Length of a 304 is that of the answer it stands for (RFC 9110 section 8.6); undici counts it.
            if (answered === 304 && error instanceof errors.ResponseContentLengthMismatchError) {
              handler.end();
              return;
            }
            const failure = aborted
              ? new TwinrankError('cancelled', 'The caller went away.')
              : asUpstreamError(error, address, connected);
            if (failure instanceof UpstreamError) observer?.failed(failure.code);
            handler.failed(failure);
          },
        },
      );
    } catch (error) {
      // undici refuses what could not be sent as one well-formed request.
      queueMicrotask(() => {
        handler.failed(
          new TwinrankError('bad_request', `The request cannot be forwarded: ${(error as Error).message}.`, {
            cause: error,
          }),
        );
      });
    }
    return flow;
  };
  return {
    send,
    collect: (request, limits) => collectAnswer(send, request, limits),
    close: () => {
      client.destroy().catch(() => undefined);
    },
  };
}

function asUpstreamError(error: unknown, address: string, connected: boolean): TwinrankError {
  if (error instanceof TwinrankError) return error;
  if (error instanceof errors.ConnectTimeoutError) {
    return new UpstreamError(
      'upstream_timeout',
      `${address} did not accept a connection in time.`,
      connected,
      { cause: error },
    );
  }
  if (error instanceof errors.RequestContentLengthMismatchError) {
    return new TwinrankError('bad_request', 'The body is not as long as its Content-Length says.', {
      cause: error,
    });
  }
  if (error instanceof Error) {
    const code = (error as NodeJS.ErrnoException).code ?? error.name;
    return new UpstreamError(
      'upstream_unreachable',
      `${address} cannot be reached or closed the connection (${code}).`,
      connected,
      { cause: error },
    );
  }
  return asTwinrankError(error);
}
