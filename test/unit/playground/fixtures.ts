/** The playground on a free port, before a server that keeps what reaches it. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { after } from 'node:test';
import { createAdminApp } from '../../../src/http/admin-app.js';
import { listen, shutDown } from '../../../src/http/listen.js';
import { createPlayground } from '../../../src/playground/app.js';

export interface Reached {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Behind {
  readonly reached: Reached[];
  readonly url: string;
}

/** A server in the proxy's place; answers everything with this status and these headers. */
export async function serverBehind(status = 200, headers: Record<string, string> = {}): Promise<Behind> {
  const reached: Reached[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '' } = request;
      reached.push({ method, url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"took":1}');
    });
  });
  return { reached, url: await started(server) };
}

/** An admin port with the playground; its address. */
export async function adminPort(
  proxy: string | undefined,
  loopbackOnly = true,
  token?: string,
): Promise<string> {
  const page = await createPlayground({
    proxy: () => (proxy === undefined ? undefined : new URL(proxy)),
    loopbackOnly,
  });
  const metrics = (): Promise<{ contentType: string; text: string }> =>
    Promise.resolve({ contentType: 'text/plain', text: '' });
  return started(createServer(createAdminApp({ checks: [], metrics, token, playground: page })));
}

async function started(server: Server): Promise<string> {
  after(() => shutDown(server, 0));
  return listen(server, { host: '127.0.0.1', port: 0 });
}
