/**
 * The listening part that both services share: one upstream connection for each client connection, errors
 * answered in the engine's shape, and a shutdown that lets requests under way finish.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { errorBody, replyWithError } from './error-reply.js';
import type { Exchange } from './pass-through.js';
import type { Upstream, UpstreamConnection } from './upstream.js';

/** Answers one exchange. What it throws is answered as an error. */
export type ExchangeHandler = (exchange: Exchange) => Promise<void>;

export interface ServiceHooks {
  /** Told of failures that are not the caller's. */
  readonly onError?: (error: TwinrankError) => void;
}

/** A server over `upstream`; it does not listen yet. */
export function createService(upstream: Upstream, handle: ExchangeHandler, hooks: ServiceHooks = {}): Server {
  const connections = new WeakMap<Socket, UpstreamConnection>();
  const connectionOf = (socket: Socket): UpstreamConnection => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const made = upstream.connect();
    connections.set(socket, made);
    socket.once('close', () => {
      made.close();
    });
    return made;
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    response.sendDate = false;
    const aborter = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) aborter.abort();
    });
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    const exchange: Exchange = {
      request,
      response,
      upstream,
      connection: connectionOf(request.socket),
      signal: aborter.signal,
    };
    handle(exchange).catch((thrown: unknown) => {
      const error = asTwinrankError(thrown);
      if (error.code !== 'cancelled') hooks.onError?.(error);
      replyWithError(response, error);
    });
  };

  const server = createServer(
    {
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 60_000,
      maxHeaderSize: 64 * 1024,
      noDelay: true,
    },
    onRequest,
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const body = errorBody(
      new TwinrankError(
        'bad_request',
        tooLarge
          ? 'The request head is larger than 64 KB.'
          : `This is not a well-formed HTTP/1.1 request (${error.code ?? error.message}).`,
      ),
    );
    const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: ${body.length}\r\n\r\n${body.toString('utf8')}`,
    );
  });
  return server;
}

/** Starts listening; resolves to the address in use. Throws `bad_config` where it cannot be had. */
export async function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new TwinrankError(
          'bad_config',
          `Cannot listen on ${address.host}:${address.port} (${error.code ?? error.message}). Is the port taken?`,
          { cause: error },
        ),
      );
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `http://${host}:${bound.port}`;
}

/** Stops accepting, waits for requests under way, then cuts what is left after `graceMs`. */
export async function shutDown(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
