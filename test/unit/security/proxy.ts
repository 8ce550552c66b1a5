/** The proxy over an engine that says what a test has it say; the encoder is a stand-in. */
import type { Encoder } from '../../../src/model/encoder.js';
import { createReranker } from '../../../src/rerank/app.js';
import { DEFAULT_RERANK_OPTIONS } from '../../../src/rerank/context.js';
import { httpUpstream, serviceOver } from '../http/wire.js';
import { head, settings, SETTINGS } from '../rerank/one-index.js';

const encoder: Encoder = {
  dimensions: 2,
  fingerprint: SETTINGS.fingerprint,
  encode: (texts) => Promise.resolve(texts.map((text) => Float32Array.of(text.length % 7, 1))),
};

export const ONE_HIT =
  '{"took":1,"hits":{"total":{"value":1},"max_score":1.0,"hits":[{"_index":"i","_id":"1","_score":1.0,"_source":{"title":"t"}}]}}';

export interface Answer {
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Heads of the requests that reached the engine, as `name: value` lines. */
export interface Proxy {
  readonly url: URL;
  readonly port: number;
  readonly seen: string[][];
}

export async function proxyOver(answer: () => Answer = () => ({ body: ONE_HIT })): Promise<Proxy> {
  const seen: string[][] = [];
  const upstream = await httpUpstream((request, response) => {
    const raw = request.rawHeaders;
    seen.push(raw.flatMap((name, i) => (i % 2 === 0 ? [`${name.toLowerCase()}: ${raw[i + 1] ?? ''}`] : [])));
    request.resume().once('end', () => {
      const { body, headers = {} } = answer();
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    });
  });
  const handler = createReranker(
    { encoder, head, settings },
    { ...DEFAULT_RERANK_OPTIONS, budgetMs: 30_000 },
  );
  const { url, port } = await serviceOver(upstream, handler);
  return { url, port, seen };
}

export function search(
  proxy: Proxy,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(new URL('/i/_search', proxy.url), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}
