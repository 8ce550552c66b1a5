/** An HTTP client that hides nothing: header order and case, status text and body bytes as they came. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface RawRequest {
  /** Address; a path prefix in it goes before `path`, credentials in it become an Authorization header. */
  readonly url: string | URL;
  readonly method?: string;
  /** Path and query exactly as they go onto the wire. */
  readonly path?: string;
  /** An object, or a flat list of names and values that keeps order, case and repetition. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly string[];
  readonly body?: string | Uint8Array;
  /** Certificate to trust for https, as PEM text. */
  readonly ca?: string;
  /** Limit of the whole exchange in milliseconds; 30 s if not given. */
  readonly timeoutMs?: number;
}

export interface RawResponse {
  readonly status: number;
  readonly statusMessage: string;
  /** Flat list of names and values in wire order. */
  readonly rawHeaders: readonly string[];
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One request on a connection of its own; rejects on a broken connection or after the limit. */
export function rawRequest(options: RawRequest): Promise<RawResponse> {
  const url = new URL(options.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const prefix = url.pathname.replace(/\/+$/, '');
  const body = options.body === undefined ? undefined : Buffer.from(options.body);
  return new Promise((done, fail) => {
    const request = send({
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      method: options.method ?? 'GET',
      path: `${prefix}${options.path ?? '/'}`,
      headers: headerLines(options, url, body),
      agent: false,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
    });
    request.once('error', fail);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', fail);
      response.once('end', () =>
        done({
          status: response.statusCode ?? 0,
          statusMessage: response.statusMessage ?? '',
          rawHeaders: response.rawHeaders,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.end(body);
  });
}

function headerLines(options: RawRequest, url: URL, body: Buffer | undefined): string[] {
  const lines: string[] = [];
  if (Array.isArray(options.headers)) lines.push(...(options.headers as readonly string[]));
  else {
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      for (const one of [value].flat()) lines.push(name, String(one));
    }
  }
  const has = (name: string): boolean => lines.some((line, i) => i % 2 === 0 && line.toLowerCase() === name);
  if (!has('host')) lines.push('Host', url.host);
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    lines.push('Content-Length', String(body.length));
  }
  if (url.username !== '' && !has('authorization')) {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    lines.push('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  }
  return lines;
}
