/** A load balancer as small as one can be: takes turns among the backends whose readiness it has last seen. */
import { Agent, createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Backend {
  readonly url: string;
  readonly adminUrl: string;
}

export interface Balancer {
  readonly url: string;
  /** Requests that each backend got, by its address. */
  readonly served: ReadonlyMap<string, number>;
  add(backend: Backend): void;
  remove(backend: Backend): void;
  /** True where the backend gets requests. */
  isUsed(backend: Backend): boolean;
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 200;

/** Listens on a free port. It tries nothing twice: what a backend fails, the client sees. */
export async function startBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const known = new Set<Backend>();
  const ready = new Set<Backend>();
  const served = new Map<string, number>();
  let turn = 0;

  const look = async (backend: Backend): Promise<void> => {
    const { ok } = await fetch(`${backend.adminUrl}/health/ready`).catch(() => ({ ok: false }));
    if (ok && known.has(backend)) ready.add(backend);
    else ready.delete(backend);
  };
  const timer = setInterval(() => {
    for (const backend of known) void look(backend);
  }, LOOK_EVERY_MS);

  const server = createServer((request, response) => {
    const usable = [...ready];
    const backend = usable[turn++ % usable.length];
    if (backend === undefined) return void response.writeHead(503).end('no backend is ready');
    served.set(backend.url, (served.get(backend.url) ?? 0) + 1);
    const { method, headers } = request;
    const forwarded = httpRequest(new URL(request.url ?? '/', backend.url), { method, headers, agent });
    forwarded.once('response', (answer) => {
      const { connection: _own, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(response);
    });
    forwarded.once('error', (error) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(`${backend.url}: ${error.message}`);
    });
    request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    add: (backend) => void known.add(backend),
    remove(backend) {
      known.delete(backend);
      ready.delete(backend);
    },
    isUsed: (backend) => ready.has(backend),
    async close() {
      clearInterval(timer);
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
