/** What a table of requests is made of. `{i}` in a path, header or body stands for the side's own index prefix. */

export interface ConformRequest {
  readonly method: string;
  /** Request target exactly as it goes onto the wire. */
  readonly target: string;
  /** `Name: value` lines after `Host`; a `Content-Length` is added where there is a body and no framing is given. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  /** Status that the engine must answer with, so that a table does not silently test errors alone. */
  readonly status?: number;
  /** Remembers a part of the answer for later requests, which name it as `{name}`. */
  readonly keep?: { readonly name: string; readonly pattern: RegExp };
  /** True where the request changes something: it is sent once only to each side. */
  readonly mutates?: boolean;
}

/** Several requests as raw bytes on one connection. */
export interface ConformExchange {
  readonly name: string;
  /** The pieces in which the bytes are written; a number is a pause in milliseconds. */
  readonly pieces: readonly (string | Buffer | number)[];
  readonly methods: readonly string[];
  /** What the engine itself is sent, where it lacks what RFC 9112 asks of every server. */
  readonly direct?: readonly (string | Buffer | number)[];
  /** Compares whether the connection is closed after the last answer. */
  readonly watchClose?: boolean;
}

export type ConformCase = ConformRequest | ConformExchange;

export interface Family {
  readonly name: string;
  readonly cases: readonly ConformCase[];
}

export const JSON_TYPE = 'Content-Type: application/json';
export const NDJSON_TYPE = 'Content-Type: application/x-ndjson';

type More = Omit<ConformRequest, 'method' | 'target' | 'body'>;

/** A body as text; objects are printed. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

export function get(target: string, more: More = {}): ConformRequest {
  return { method: 'GET', target, ...more };
}

export function head(target: string, more: More = {}): ConformRequest {
  return { method: 'HEAD', target, ...more };
}

/** A JSON body unless the headers say otherwise. */
export function send(method: string, target: string, body?: unknown, more: More = {}): ConformRequest {
  if (body === undefined) return { method, target, ...more };
  return {
    method,
    target,
    ...more,
    headers: more.headers ?? [JSON_TYPE],
    body: Buffer.isBuffer(body) ? body : textOf(body),
  };
}

/** A POST that only reads. */
export function ask(target: string, body?: unknown, more: More = {}): ConformRequest {
  return send('POST', target, body, more);
}

/** A request that changes something. */
export function change(method: string, target: string, body?: unknown, more: More = {}): ConformRequest {
  return send(method, target, body, { mutates: true, ...more });
}

/** Lines of NDJSON; objects are printed. */
export function lines(...parts: readonly unknown[]): string {
  return parts.map((part) => `${textOf(part)}\n`).join('');
}

/** One raw request as text, head and body. */
export function rawText(
  line: string,
  headers: readonly string[] = [],
  body = '',
  host = 'Host: {host}',
): string {
  return `${[line, ...(host === '' ? [] : [host]), ...headers].join('\r\n')}\r\n\r\n${body}`;
}

/** A name for people: what the request is, shortened. */
export function titleOf(one: ConformCase): string {
  if ('pieces' in one) return one.name;
  const body = one.body === undefined ? '' : ` ${one.body.toString('utf8').slice(0, 90)}`;
  const headers = (one.headers ?? []).filter((line) => line !== JSON_TYPE && line !== NDJSON_TYPE);
  const shown = headers.length === 0 ? '' : ` [${headers.join(', ').slice(0, 80)}]`;
  return `${one.method} ${one.target.slice(0, 120)}${shown}${body}`.replace(/\s+/g, ' ');
}
