/** Raw sockets on both sides of a service: what is on the wire is what is tested. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { after } from 'node:test';
import { passThrough } from '../../../src/http/pass-through.js';
import { listen, shutDown } from '../../../src/http/listen.js';
import { createService, type ExchangeHandler, type ServiceHooks } from '../../../src/http/service.js';
import { createUpstream } from '../../../src/http/upstream.js';

/** Address of a server on a free port; it is closed after the tests of the file. */
export async function opened(server: Server | TcpServer): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** A service over the upstream, passing through unless told otherwise. */
export async function serviceOver(
  upstream: URL,
  handle: ExchangeHandler = (exchange) => passThrough(exchange),
  hooks: ServiceHooks = {},
): Promise<{ readonly url: URL; readonly port: number; readonly server: Server }> {
  const server = createService(createUpstream({ url: upstream }), handle, hooks);
  const url = new URL(await listen(server, { host: '127.0.0.1', port: 0 }));
  after(() => shutDown(server, 0));
  return { url, port: Number(url.port), server };
}

/** An upstream that speaks bytes: `answer` gets each connection's bytes so far whenever more have come. */
export async function rawUpstream(
  answer: (received: string, socket: Socket, connection: number) => void,
): Promise<{ readonly url: URL; readonly received: string[] }> {
  const received: string[] = [];
  const server = createTcpServer((socket) => {
    socket.setDefaultEncoding('latin1');
    const place = received.push('') - 1;
    socket.on('data', (chunk) => {
      received[place] += chunk.toString('latin1');
      answer(received[place] ?? '', socket, place);
    });
  });
  return { url: await opened(server), received };
}

/** An upstream of node:http. */
export async function httpUpstream(handler: RequestListener): Promise<URL> {
  return opened(createServer(handler));
}

/** A client socket that collects what it gets, as latin1 text. */
export class Wire {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
    this.closed = once(this.socket, 'close').then(() => undefined);
  }

  write(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits until what came fits; fails loudly with what came instead. */
  async until(wanted: RegExp | ((received: string) => boolean)): Promise<string> {
    const fits = (): boolean =>
      wanted instanceof RegExp ? wanted.test(this.received) : wanted(this.received);
    const deadline = Date.now() + 10_000;
    while (!fits()) {
      if (Date.now() > deadline || this.socket.destroyed)
        throw new Error(`${String(wanted)} did not come, but: ${JSON.stringify(this.received.slice(-2000))}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.received;
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Sends bytes on a connection of their own; resolves to all that comes until the other side closes. */
export async function converse(port: number, text: string): Promise<string> {
  const wire = new Wire(port).write(text);
  await wire.closed;
  return wire.received;
}

/** Waits for a condition that another party brings about. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
