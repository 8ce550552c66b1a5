/** Reads a search request as far as the proxy needs it: its body, and what it says to us. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { contentEncoding, OUR_HEADER } from '../http/header-rules.js';
import type { Exchange } from '../http/pass-through.js';
import { hasBody, readBody, type ReadBody } from '../http/request-body.js';
import {
  isObject,
  JsonScanError,
  memberNamed,
  scanDocument,
  scanObject,
} from '../search-engine/json-scan.js';
import type { RerankOptions } from './context.js';
import { takeExtension } from './extension.js';
import { bodyKnobs, headerKnobs, type Knobs } from './knobs.js';
import type { SearchWishes } from './plan.js';
import { queryContextText } from './query-context.js';
import { parameterValue, type SearchRoute } from './search-route.js';

/** A search body without what was for us. */
export interface SearchBody {
  readonly body: Buffer;
  /** Something was cut out, so that the body differs from what the caller sent. */
  readonly changed: boolean;
  readonly wishes: SearchWishes;
}

/** The whole body of the request, or as much as came before the limit. */
export function requestBody(exchange: Exchange, limit: number): Promise<ReadBody> {
  return hasBody(exchange.request)
    ? readBody(exchange.request, limit)
    : Promise.resolve({ bytes: Buffer.alloc(0), complete: true });
}

const gunzipWithin = promisify(gunzip);

/**
 * The body as plain JSON. Compressed, it may grow to `limit`: beyond that it is `body_too_large`, and what is no
 * gzip is `unreadable_body`, for the engine to refuse.
 */
export async function plainBytes(
  exchange: Exchange,
  bytes: Buffer,
  limit: number,
): Promise<Buffer | 'body_too_large' | 'unreadable_body'> {
  if (contentEncoding(exchange.request.rawHeaders) !== 'gzip' || bytes.length === 0) return bytes;
  try {
    return await gunzipWithin(bytes, { maxOutputLength: limit });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'body_too_large'
      : 'unreadable_body';
  }
}

/** Knobs of the request header. Throws `bad_request`. */
export function knobsOfHeader(exchange: Exchange, options: RerankOptions): Knobs {
  const { rawHeaders } = exchange.request;
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === OUR_HEADER);
  return headerKnobs(values.join(';'), options);
}

/** Cuts our parts out of a search body and reads them. Throws `bad_request` for parts of ours that are wrong. */
export function searchBody(bytes: Buffer, header: Knobs, options: RerankOptions): SearchBody {
  try {
    const { body, twinrank, rerank } = takeExtension(bytes);
    const knobs = { ...header, ...bodyKnobs(twinrank, options) };
    const queryText =
      rerank === undefined ? undefined : queryContextText(rerank, JSON.parse(body.toString('utf8')));
    return { body, changed: body !== bytes, wishes: { knobs, queryText } };
  } catch (error) {
    // A body that cannot be read is the engine's to refuse.
    if (error instanceof JsonScanError || error instanceof SyntaxError)
      return { body: bytes, changed: false, wishes: { knobs: header } };
    throw error;
  }
}

/** The request names a search pipeline and `ext.rerank`: that query context is for a processor of the engine's own. */
export function isForPipeline(route: SearchRoute, body: Buffer): boolean {
  if (!body.includes('"rerank"')) return false;
  try {
    const { members } = scanDocument(body);
    const inBody = memberNamed(body, members, 'search_pipeline');
    const named =
      inBody === undefined
        ? parameterValue(route, 'search_pipeline')
        : body.toString('utf8', inBody.start, inBody.end).replace(/^"|"$/g, '');
    if (named === undefined || named === '_none') return false;
    const ext = memberNamed(body, members, 'ext');
    return (
      ext !== undefined &&
      isObject(body, ext) &&
      memberNamed(body, scanObject(body, ext.start).members, 'rerank') !== undefined
    );
  } catch (error) {
    if (error instanceof JsonScanError) return false;
    throw error;
  }
}

/** The body that the `source` parameter holds, where there is no other (RestRequest of both engines). */
export function bodyOfSource(route: SearchRoute, bytes: Buffer): Buffer {
  const source = parameterValue(route, 'source');
  return bytes.length === 0 && source !== undefined ? Buffer.from(source, 'utf8') : bytes;
}
