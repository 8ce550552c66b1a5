/**
 * The few calls that twinrank itself makes to the engine, over the official client.
 * Callers' own requests never go this way: they are forwarded as they came.
 */
import { Client, errors } from '@opensearch-project/opensearch';
import { readFileSync } from 'node:fs';
import { TwinrankError } from '../errors.js';

export interface EngineClientOptions {
  /** Certificate authority for https, a PEM file. */
  readonly caFile?: string | undefined;
  /** Accept any certificate. */
  readonly insecure?: boolean | undefined;
  readonly timeoutMs?: number;
}

/** A call's answer. `body` is parsed JSON; a status of 400 and above is an answer like any other. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Path and query string, already percent-encoded, starting with "/". */
  readonly path: string;
  readonly body?: Buffer | string | Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface EngineClient {
  /** Address without credentials, for messages. */
  readonly address: string;
  /** Throws `upstream_unreachable` or `upstream_timeout` where no answer came, `cancelled` on abort. */
  request(request: EngineRequest): Promise<EngineAnswer>;
  close(): Promise<void>;
}

/** Address of an engine as it may be shown and logged. */
export function withoutCredentials(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href.replace(/\/$/, '');
}

/** A client for the cluster at `url`; credentials in the URL are used for these calls. */
export function createEngineClient(url: URL, options: EngineClientOptions = {}): EngineClient {
  const address = withoutCredentials(url);
  const client = new Client({
    node: address,
    ...(url.username === ''
      ? {}
      : { auth: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } }),
    ...(url.protocol === 'https:' ? { ssl: tlsOptions(options) } : {}),
    maxRetries: 0,
    requestTimeout: options.timeoutMs ?? 30_000,
  });
  return {
    address,
    async request({ method, path, body, headers, signal }) {
      signal?.throwIfAborted();
      const at = path.indexOf('?');
      const call = client.transport.request(
        {
          method,
          path: at === -1 ? path : path.slice(0, at),
          ...(at === -1 ? {} : { querystring: path.slice(at + 1) }),
          ...(body === undefined
            ? {}
            : {
                body: Buffer.isBuffer(body)
                  ? body.toString('utf8')
                  : (body as Record<string, unknown> | string),
              }),
        },
        { ignore: ANY_ERROR_STATUS, ...(headers === undefined ? {} : { headers: { ...headers } }) },
      );
      const onAbort = (): void => {
        // The client's abort gives its thenable back, whose rejection must not become the listener's.
        void call.abort();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        const answer = await call;
        return {
          status: answer.statusCode ?? 0,
          body: answer.body as unknown,
          headers: (answer.headers ?? {}) as EngineAnswer['headers'],
        };
      } catch (error) {
        throw asEngineError(error, address, signal);
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
    close: async () => {
      await client.close();
    },
  };
}

/** The client throws on error statuses unless told to ignore them, and our callers judge them by themselves. */
const ANY_ERROR_STATUS = Array.from({ length: 200 }, (_, i) => 400 + i);

function tlsOptions(options: EngineClientOptions): { ca?: string; rejectUnauthorized?: boolean } {
  return {
    ...(options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, 'utf8') }),
    ...(options.insecure === true ? { rejectUnauthorized: false } : {}),
  };
}

function asEngineError(error: unknown, address: string, signal: AbortSignal | undefined): TwinrankError {
  if (signal?.aborted === true)
    return new TwinrankError('cancelled', 'The request was cancelled.', { cause: error });
  if (error instanceof errors.TimeoutError) {
    return new TwinrankError('upstream_timeout', `${address} did not answer in time.`, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new TwinrankError(
    'upstream_unreachable',
    `${address} cannot be reached (${reason}). Is the engine up, and the address right?`,
    {
      cause: error,
    },
  );
}

/** The engine's own words for an error answer. */
export function reasonOf(answer: EngineAnswer): string {
  const body = answer.body as { error?: { reason?: unknown; type?: unknown } | string } | null | undefined;
  const error = body?.error;
  if (typeof error === 'string') return `${answer.status}: ${error}`;
  if (typeof error?.reason === 'string') return `${answer.status} ${String(error.type)}: ${error.reason}`;
  return `status ${answer.status}`;
}
