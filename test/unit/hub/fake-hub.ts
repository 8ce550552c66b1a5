/**
 * A server that plays the Hub, and a second one that it sends callers on to for large files. Both can be told to fail
 * in the ways of the real ones, which a real one cannot be made to do on demand.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly server: 'hub' | 'storage';
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a request in its own way and returns true, or returns false and leaves it to the server. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean;

export interface FakeHub {
  readonly url: string;
  readonly storageUrl: string;
  readonly seen: SeenRequest[];
  /** Requests for a file's bytes: from storage for large files, from the Hub for small ones. */
  fileRequests(path: string): SeenRequest[];
  close(): Promise<void>;
}

export interface FakeHubOptions {
  readonly repository: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly token?: string;
  /** Files that the storage server has; others come from the Hub itself. */
  readonly large?: (path: string) => boolean;
  readonly ranges?: boolean;
  /** Whether the list of files tells sizes and hashes; mirrors may not. */
  readonly blobs?: boolean;
  readonly fault?: Fault;
  /** Called with the parsed list of files, to change what is told. */
  readonly info?: (info: RevisionAnswer) => unknown;
}

export interface RevisionAnswer {
  id: string;
  sha: string;
  siblings: Record<string, unknown>[];
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
export const gitSha1 = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Starts both on free ports. Revisions are the commit itself, "main" and "feature/one". */
export async function startFakeHub(options: FakeHubOptions): Promise<FakeHub> {
  const { repository, commit, files, token, ranges = true, blobs = true } = options;
  const isLarge = options.large ?? ((path) => /\.(onnx|bin)$|^tokenizer\.json$/.test(path));
  const seen: SeenRequest[] = [];
  const revisions = new Set([commit, 'main', 'feature/one']);

  const refuse = (response: ServerResponse, status: number, code?: string): void => {
    response.writeHead(status, code === undefined ? {} : { 'x-error-code': code });
    response.end(JSON.stringify({ error: 'refused' }));
  };

  const answerHub = (request: SeenRequest, response: ServerResponse): void => {
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return refuse(response, 401);
    const { pathname } = new URL(request.url, 'http://hub');
    const info = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(pathname);
    const file = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    const [, name = '', revision = '', path = ''] = info ?? file ?? [];
    if (info === null && file === null) return refuse(response, 404);
    if (name !== repository) return refuse(response, 404, 'RepoNotFound');
    if (!revisions.has(decodeURIComponent(revision))) return refuse(response, 404, 'RevisionNotFound');
    if (info !== null) {
      const siblings = [...files].map(([rfilename, bytes]) => {
        if (!blobs) return { rfilename };
        const lfs = { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 };
        const blobId = isLarge(rfilename) ? gitSha1(Buffer.from('pointer')) : gitSha1(bytes);
        return { rfilename, size: bytes.length, blobId, ...(isLarge(rfilename) ? { lfs } : {}) };
      });
      const answer = { id: name, sha: commit, siblings };
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(options.info?.(answer) ?? answer));
      return;
    }
    const bytes = files.get(decodeURIComponent(path));
    if (bytes === undefined) return refuse(response, 404, 'EntryNotFound');
    response.setHeader('x-repo-commit', commit);
    if (isLarge(path)) {
      response.writeHead(302, {
        location: `${storageUrl}/objects/${sha256(bytes)}?name=${encodeURIComponent(path)}&signature=abc`,
        'x-linked-etag': `"${sha256(bytes)}"`,
        'x-linked-size': bytes.length,
      });
      response.end();
      return;
    }
    sendBytes(request, response, bytes, `"${gitSha1(bytes)}"`, ranges);
  };

  const answerStorage = (request: SeenRequest, response: ServerResponse): void => {
    const hash = /^\/objects\/([0-9a-f]{64})\?/.exec(request.url)?.[1];
    const bytes = [...files.values()].find((one) => sha256(one) === hash);
    if (bytes === undefined) return refuse(response, 403);
    // Storage has ETags of its own, which say nothing about the file's hash.
    sendBytes(request, response, bytes, `"storage-${bytes.length}"`, ranges);
  };

  const listen = async (server: 'hub' | 'storage', answer: typeof answerHub): Promise<Server> => {
    const made = createServer((incoming, response) => {
      const request: SeenRequest = { server, url: incoming.url ?? '', headers: incoming.headers };
      seen.push(request);
      if (options.fault?.(request, response) !== true) answer(request, response);
    });
    made.listen(0, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  const storage = await listen('storage', answerStorage);
  const storageUrl = urlOf(storage);
  const hub = await listen('hub', answerHub);
  return {
    url: urlOf(hub),
    storageUrl,
    seen,
    fileRequests: (path) =>
      seen.filter(({ server, url }) =>
        isLarge(path)
          ? server === 'storage' && url.includes(`name=${encodeURIComponent(path)}&`)
          : server === 'hub' && url.endsWith(`/resolve/${commit}/${path}`),
      ),
    close: async () => {
      for (const server of [hub, storage]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

/** Sends bytes as a server that knows Range and If-Range does, or one that knows neither. */
function sendBytes(
  { headers }: SeenRequest,
  response: ServerResponse,
  bytes: Buffer,
  etag: string,
  ranges: boolean,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  const start = ranges && isSame ? from : 0;
  if (start > 0 && start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': bytes.length - start,
    'content-type': 'application/octet-stream',
    ...(start > 0 ? range : {}),
  });
  response.end(bytes.subarray(start));
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
