/**
 * The few calls that twinrank itself makes to the engine, over the official client.
 * Callers' own requests never go this way: they are forwarded as they came.
 */
import { Client, errors } from '@opensearch-project/opensearch';
import type { ApiResponse } from '@opensearch-project/opensearch';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
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
  readonly signal?: AbortSignal | undefined;
}

/** An answer as it came: documents are cut out of it by their bytes. */
export interface EngineBytes {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: EngineAnswer['headers'];
}

export interface EngineClient {
  /** Address without credentials, for messages. */
  readonly address: string;
  /** Throws `upstream_unreachable` or `upstream_timeout` where no answer came, `cancelled` on abort. */
  request(request: EngineRequest): Promise<EngineAnswer>;
  /** As `request`, with the answer's own bytes. Throws `body_too_large` where they are more than `maxBytes`. */
  bytes(request: EngineRequest, maxBytes: number): Promise<EngineBytes>;
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
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const client = new Client({
    node: address,
    ...(url.username === ''
      ? {}
      : { auth: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } }),
    ...(url.protocol === 'https:' ? { ssl: tlsOptions(options) } : {}),
    maxRetries: 0,
    requestTimeout: timeoutMs,
  });
  /** Makes one call and hands its answer to `take`; whatever fails on the way becomes an error of ours. */
  async function call<T>(
    { method, path, body, headers, signal }: EngineRequest,
    asStream: boolean,
    take: (answer: ApiResponse) => T | Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const at = path.indexOf('?');
    const pending = client.transport.request(
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
      { ignore: ANY_ERROR_STATUS, asStream, ...(headers === undefined ? {} : { headers: { ...headers } }) },
    );
    const onAbort = (): void => {
      // The client's abort gives its thenable back, whose rejection must not become the listener's.
      void pending.abort();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await take(await pending);
    } catch (error) {
      throw asEngineError(error, address, signal);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
  return {
    address,
    request: (request) =>
      call(request, false, (answer) => ({
        status: answer.statusCode ?? 0,
        body: answer.body as unknown,
        headers: (answer.headers ?? {}) as EngineAnswer['headers'],
      })),
    bytes: (request, maxBytes) =>
      call(request, true, async (answer) => ({
        status: answer.statusCode ?? 0,
        // A call for a stream has one as its body.
        body: await collected(answer.body as unknown as Readable, maxBytes, timeoutMs, request.signal),
        headers: (answer.headers ?? {}) as EngineAnswer['headers'],
      })),
    close: async () => {
      await client.close();
    },
  };
}

/** Milliseconds without an answer, and then without a further piece of it, before a call counts as lost. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** All of a stream. The library no longer watches over an answer that it hands on as a stream, so this does. */
async function collected(
  stream: Readable,
  maxBytes: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    stream.destroy();
  }, timeoutMs);
  const stop = (): void => void stream.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      late.refresh();
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes)
        throw new TwinrankError('body_too_large', `The engine's answer is larger than ${maxBytes} bytes.`);
    }
    return Buffer.concat(chunks, size);
  } catch (error) {
    if (!isLate) throw error;
    throw new TwinrankError('upstream_timeout', 'The answer of the engine came to a halt.', { cause: error });
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', stop);
    stream.destroy();
  }
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
  if (error instanceof TwinrankError) return error;
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
