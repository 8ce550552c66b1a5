/** An engine that keeps documents and answers bulk requests as real ones do, but for what a test tells it to do. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createIngester, DEFAULT_INGEST_OPTIONS, type IngestOptions } from '../../../src/ingest/app.js';
import type { Encoder } from '../../../src/model/encoder.js';
import { httpUpstream, serviceOver } from '../http/wire.js';
import { encoderThat, settingsReader } from './fixtures.js';

/** An item as it came. */
export interface GotItem {
  readonly name: string;
  readonly id: string;
  readonly source: string;
}

export interface FaultyEngineOptions {
  /** Called with each request, whole, before it is dealt with; true where it has been answered already. */
  readonly before?: (request: IncomingMessage, response: ServerResponse, nth: number) => boolean;
  /** Called before the body is read; true where that takes the request over. */
  readonly early?: (request: IncomingMessage, response: ServerResponse, nth: number) => boolean;
  /** Status of an item other than what comes of writing it. */
  readonly refuse?: (item: GotItem, nth: number) => number | undefined;
  readonly maxBytes?: number;
}

export interface FaultyEngine {
  readonly url: URL;
  /** Bodies of the requests that came whole. */
  readonly bodies: string[];
  readonly headers: string[][];
  /** How often each document was written. */
  readonly writes: Map<string, number>;
}

export async function faultyEngine(options: FaultyEngineOptions = {}): Promise<FaultyEngine> {
  const bodies: string[] = [];
  const headers: string[][] = [];
  const writes = new Map<string, number>();
  let requests = 0;
  const url = await httpUpstream((request, response) => {
    const nth = ++requests;
    if (options.early?.(request, response, nth) === true) return;
    const chunks: Buffer[] = [];
    request.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (options.before?.(request, response, nth) === true) return;
      headers.push(request.rawHeaders);
      bodies.push(body);
      response.setHeader('content-type', 'application/json; charset=UTF-8');
      if (body.length > (options.maxBytes ?? Infinity)) return void response.writeHead(413).end();
      const malformed = body.split('\n').findIndex((line) => line === 'broken');
      if (malformed !== -1)
        return void response
          .writeHead(400)
          .end(errorText(400, `Malformed action/metadata line [${malformed + 1}], expected START_OBJECT`));
      if (body.trim() === '')
        return void response.writeHead(400).end(errorText(400, 'request body is required'));
      const results = itemsOf(body).map((item) => {
        const refused = options.refuse?.(item, nth);
        const written = writes.get(item.id) ?? 0;
        const status = refused ?? (item.name === 'create' && written > 0 ? 409 : written > 0 ? 200 : 201);
        if (status < 400) writes.set(item.id, written + 1);
        const error = status < 400 ? '' : `,"error":{"type":"${status === 429 ? 'rejected_execution_exception' : 'some_exception'}","reason":"r"}`; // prettier-ignore
        return {
          text: `{"${item.name}":{"_index":"i","_id":"${item.id}","status":${status}${error}}}`,
          failed: status >= 400,
        };
      });
      const errors = results.some(({ failed }) => failed);
      response.end(`{"took":2,"errors":${errors},"items":[${results.map(({ text }) => text).join(',')}]}`);
    });
  });
  return { url, bodies, headers, writes };
}

export function errorText(status: number, reason: string, type = 'illegal_argument_exception'): string {
  return JSON.stringify({ error: { root_cause: [{ type, reason }], type, reason }, status });
}

/** Items of a bulk body whose actions all have a source. */
export function itemsOf(body: string): GotItem[] {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  return Array.from({ length: Math.floor(lines.length / 2) }, (_, i) => {
    const [name, { _id }] = Object.entries(
      JSON.parse(lines[2 * i] ?? '') as Record<string, { _id: string }>,
    )[0] as [string, { _id: string }];
    return { name, id: _id, source: lines[2 * i + 1] ?? '' };
  });
}

/** A sidecar over an engine, with small limits where a test gives them. */
export async function sidecarOver(
  engine: URL,
  options: Partial<IngestOptions> = {},
  encoder: Encoder = encoderThat(() => Promise.resolve()),
): Promise<URL> {
  const all = { ...DEFAULT_INGEST_OPTIONS, overloadPatienceMs: 0, ...options };
  return (await serviceOver(engine, createIngester({ encoder, settings: settingsReader }, all))).url;
}

/** A bulk body of documents d0, d1, …, one for each title. */
export function bulkOf(titles: readonly string[], name = 'index', from = 0): string {
  return titles
    .map((title, i) => `{"${name}":{"_index":"i","_id":"d${from + i}"}}\n{"title":"${title}"}\n`)
    .join('');
}

export function postBulk(
  url: URL,
  body: string | Uint8Array<ArrayBuffer>,
  path = '/_bulk',
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body,
  });
}

export interface BulkAnswer {
  readonly took: number;
  readonly errors: boolean;
  readonly items: Record<string, { _id: string; status: number; error?: { type: string; reason: string } }>[];
}

/** `d0 201`, `d1 429`, … */
export function resultsOf(answer: BulkAnswer): string[] {
  return answer.items.map((item) => {
    const [result] = Object.values(item);
    return `${result?._id} ${result?.status}`;
  });
}
