/**
 * The server that both services share: one upstream connection for each client connection, and errors answered in
 * the engine's shape.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { errorBody, replyWithError } from './error-reply.js';
import { ClientExchange } from './client-exchange.js';
import { isNamed } from './header-rules.js';
import type { AnyServer } from './listen.js';
import { fail, type Exchange } from './pass-through.js';
import type { RequestEnd } from './request-record.js';
import type { Upstream, UpstreamConnection } from './upstream.js';

/** Answers one exchange. What it throws is answered as an error. */
export interface ExchangeHandler {
  (exchange: Exchange): Promise<void>;
}

export interface ServiceHooks {
  /** Told of failures that are not the caller's. */
  readonly onError?: (error: TwinrankError) => void;
  /** Told of each request when it begins, and when its answer is out or its caller has left. */
  readonly onBegin?: () => void;
  readonly onEnd?: (exchange: Exchange, end: RequestEnd) => void;
  /** What we ask for a caller bears the request's id, where the caller gave none. */
  readonly showsIds?: boolean;
  /** From when it is aborted on, answers close their connection, so that clients go elsewhere by themselves. */
  readonly draining?: AbortSignal;
}

/** Certificate chain and private key, in PEM. */
export interface ServerIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What belongs to one client connection. */
interface Client {
  readonly connection: UpstreamConnection;
  /** Settles when the latest request has been handled; undefined where none is under way. */
  turn: Promise<void> | undefined;
  /** The latest request's answer. */
  latest: ServerResponse | undefined;
  /** Bytes of the connection that belong to requests before the latest. */
  read: number;
  written: number;
}

/** A server over `upstream`; it does not listen yet. */
export function createService(
  upstream: Upstream,
  handle: ExchangeHandler,
  hooks: ServiceHooks = {},
  identity?: ServerIdentity,
): AnyServer {
  const clients = new WeakMap<Socket, Client>();
  const clientOf = (socket: Socket): Client => {
    const known = clients.get(socket);
    if (known !== undefined) return known;
    const connection = upstream.connect();
    const made: Client = { connection, turn: undefined, latest: undefined, read: 0, written: 0 };
    clients.set(socket, made);
    socket.once('close', () => {
      made.connection.close();
    });
    return made;
  };
  const observe = (exchange: Exchange, client: Client): void => {
    hooks.onBegin?.();
    const { onEnd } = hooks;
    if (onEnd === undefined) return;
    const { request, response } = exchange;
    const { socket } = request;
    const began = performance.now();
    response.once('close', () => {
      const { read, written } = client;
      client.read = socket.bytesRead;
      client.written = socket.bytesWritten;
      onEnd(exchange, {
        ms: performance.now() - began,
        status: response.headersSent ? response.statusCode : 0,
        bytesIn: client.read - read,
        bytesOut: client.written - written,
        isCancelled: !response.writableFinished,
      });
    });
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // Node then says `Connection: close`, and does so.
    if (hooks.draining?.aborted === true) response.shouldKeepAlive = false;
    showOnlyUpstreamHeaders(request, response);
    response.on('error', ignore);
    request.on('error', ignore);
    const client = clientOf(request.socket);
    client.latest = response;
    const exchange = new ClientExchange(
      request,
      response,
      upstream,
      client.connection,
      hooks.showsIds ?? false,
    );
    observe(exchange, client);
    const fault = faultOf(request);
    if (fault !== undefined) {
      fail(exchange, new TwinrankError('bad_request', fault), ['connection', 'close']);
      return;
    }
    const take = async (): Promise<void> => {
      try {
        await handle(exchange);
      } catch (thrown) {
        const error = asTwinrankError(thrown);
        if (error.code !== 'cancelled') hooks.onError?.(error);
        fail(exchange, error);
      }
      if (client.latest === response) client.turn = undefined;
    };
    // Pipelined requests share one upstream connection: an answer that has to wait for its place would hold it,
    // and an earlier request that asks a second time would wait for ever.
    client.turn = client.turn === undefined ? take() : client.turn.then(take);
  };

  const server = httpServer(onRequest, identity);
  // Node would silently leave out what comes after the thousandth header; the size of the head is bound already.
  server.maxHeadersCount = 0;
  // Node's own refusal would bear headers of Node's.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    showOnlyUpstreamHeaders(request, response);
    response.writeHead(417, ['content-length', '0']).end();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const latest = clients.get(socket)?.latest;
    // There is no telling a client anything before the handshake.
    if (error.code === 'ECONNRESET' || /^ERR_(?:TLS|SSL)/.test(error.code ?? '')) socket.destroy();
    else if (latest === undefined || latest.writableFinished) refuse(socket, error);
    else if (latest.req.complete) latest.once('close', () => refuse(socket, error));
    else {
      // Node forgets the request with its answer, and whoever reads its body would wait for the rest for ever.
      latest.once('close', () => latest.req.destroy());
      replyWithError(latest, malformed(error), ['connection', 'close']);
    }
  });
  return server;
}

function httpServer(onRequest: RequestListener, identity: ServerIdentity | undefined): AnyServer {
  const options = {
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 60_000,
    maxHeaderSize: 64 * 1024,
    noDelay: true,
    // The upstream gets its own Host in any case; what to think of a request without one is the engine's to say.
    requireHostHeader: false,
  };
  if (identity === undefined) return createServer(options, onRequest);
  try {
    return createTlsServer({ ...options, ...identity }, onRequest);
  } catch (error) {
    throw new TwinrankError(
      'bad_config',
      `The certificate or its key cannot be used: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

function ignore(): void {}

/** What a server must refuse (RFC 9112 sections 2.3 and 3.2) and Node lets through. */
function faultOf(request: IncomingMessage): string | undefined {
  if (request.httpVersionMajor !== 1) return `HTTP/${request.httpVersion} is not spoken here; HTTP/1.1 is.`;
  let hosts = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    if (isNamed(request.rawHeaders[i] ?? '', 'host')) hosts++;
  return hosts > 1 ? 'The request has more than one Host header.' : undefined;
}

/** Node would add `Date` and `Connection: keep-alive`, which mean nothing here; `Connection: close` is left to it. */
function showOnlyUpstreamHeaders(request: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false;
  if (request.httpVersion === '1.1' && response.shouldKeepAlive) response.removeHeader('connection');
}

function malformed(error: NodeJS.ErrnoException): TwinrankError {
  return new TwinrankError(
    'bad_request',
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'The request head is larger than 64 KB.'
      : `This is not a well-formed HTTP/1.1 request (${error.code ?? error.message}).`,
  );
}

/** Answers bytes that did not become a request, and closes. */
function refuse(socket: Socket, error: NodeJS.ErrnoException): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorBody(malformed(error));
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: ${body.length}\r\n\r\n${body.toString('utf8')}`,
  );
}
