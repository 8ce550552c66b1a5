/** The beginning and the end of listening, of every server that there is. */
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TwinrankError } from '../errors.js';

/** A server of either kind; what differs is how its bytes travel. */
export type AnyServer = Server | TlsServer;

const IDLE_CHECK_MS = 100;

/** Starts listening; resolves to the address in use. Throws `bad_config` where it cannot be had. */
export async function listen(
  server: AnyServer,
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
  return `${server instanceof TlsServer ? 'https' : 'http'}://${host}:${bound.port}`;
}

/** Stops accepting, waits for requests under way, then cuts what is left after `graceMs`. */
export async function shutDown(server: AnyServer, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  // A connection whose last answer is out would otherwise stay open until the grace is over.
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, IDLE_CHECK_MS);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
