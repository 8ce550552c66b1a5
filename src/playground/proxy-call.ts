/**
 * The few requests that the page may have sent to the proxy, with the viewer's own credentials. A list of what is
 * allowed: neither path nor method come from the page, so that the admin port is no way to anything else.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { TwinrankError } from '../errors.js';
import { headerValue, OUR_HEADER } from '../http/header-rules.js';
import { createUpstream, type CollectedAnswer, type UpstreamRequest } from '../http/upstream.js';

/** Header that carries the viewer's credentials for the engine; `Authorization` belongs to the admin port. */
const VIEWER_HEADER = 'x-engine-authorization';

/** Largest answer that is handed to the page, in bytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** What the page asks for. */
export type ProxyCall =
  | { readonly kind: 'indices' }
  | { readonly kind: 'mapping'; readonly index: string }
  | { readonly kind: 'search'; readonly index: string; readonly body: Buffer };

/** The request of a call. Throws `bad_request` for an index that could be anything but one. */
function proxyRequest(call: ProxyCall, headers: IncomingHttpHeaders, host: string): UpstreamRequest {
  const authorization = headers[VIEWER_HEADER];
  const common = [
    'host',
    host,
    'accept',
    'application/json',
    'x-opaque-id',
    'twinrank-playground',
    ...(typeof authorization === 'string' && authorization !== '' ? ['authorization', authorization] : []),
  ];
  if (call.kind === 'indices')
    return {
      method: 'GET',
      path: '/_cat/indices?format=json&h=index,docs.count&s=index',
      headers: common,
      body: null,
    };
  const path = `/${indexInPath(call.index)}`;
  if (call.kind === 'mapping')
    return { method: 'GET', path: `${path}/_mapping`, headers: common, body: null };
  const wish = headers[OUR_HEADER];
  return {
    method: 'POST',
    path: `${path}/_search`,
    headers: [
      ...common,
      'content-type',
      'application/json',
      'content-length',
      String(call.body.length),
      ...(typeof wish === 'string' ? [OUR_HEADER, wish] : []),
    ],
    body: call.body,
  };
}

/** An index expression as a path segment: names, lists and wildcards, nothing that could be another API. */
function indexInPath(index: string): string {
  const names = index.split(',');
  const isSound =
    index.length <= 1000 &&
    names.every((name) => /^[^_\-+\s\\/?"<>|#%:\p{Cc}][^\s\\/?"<>|#%\p{Cc}]*$/u.test(name));
  if (!isSound || names.some((name) => name === '.' || name === '..'))
    throw new TwinrankError('bad_request', 'Name an index, an alias, or several with commas between them.');
  return encodeURIComponent(index).replaceAll('%2C', ',').replaceAll('%2c', ',');
}

/** What of an answer reaches the page. */
export interface ShownAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Status, body and our own header. `WWW-Authenticate` would make the browser ask for credentials and keep them, and
 * cookies would be the engine's and not the admin port's.
 */
function shown({ status, headers, body }: CollectedAnswer): ShownAnswer {
  const outcome = headerValue(headers, OUR_HEADER);
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-playground-answer': 'proxy',
      ...(outcome === undefined ? {} : { [OUR_HEADER]: outcome }),
    },
    body,
  };
}

/** Asks the proxy at `url`, which is this very process: its own certificate needs no check. */
export async function callProxy(
  url: URL,
  call: ProxyCall,
  headers: IncomingHttpHeaders,
  signal: AbortSignal,
): Promise<ShownAnswer> {
  const upstream = createUpstream({ url, insecure: true });
  const request = proxyRequest(call, headers, upstream.host);
  const connection = upstream.connect();
  try {
    return shown(await connection.collect(request, { maxBytes: MAX_ANSWER_BYTES, signal }));
  } finally {
    connection.close();
  }
}
