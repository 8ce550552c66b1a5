/** Searches over plain HTTP, timed to the last byte: a client library would hide the headers and add its own time. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { TwinrankError } from '../errors.js';
import { OUR_HEADER } from '../http/header-rules.js';
import { withoutCredentials } from '../search-engine/client.js';
import { isRecord } from '../search-engine/json-value.js';
import type { Hit } from './ranking.js';

export interface SearchAnswer {
  readonly hits: readonly Hit[];
  /** From the start of the request to the last byte of the answer. */
  readonly milliseconds: number;
  /** Value of `x-twinrank`; null where the answer has none. */
  readonly outcome: string | null;
}

export interface SearchTarget {
  readonly url: URL;
  readonly index: string;
  /** Field whose text is read from each hit's source; null for none. */
  readonly textField: string | null;
  /** Field that is shown to people, likewise. */
  readonly titleField?: string | undefined;
  /** Header `x-twinrank` of every search; none where it is not given. */
  readonly wish?: string;
  /** For https only. */
  readonly tls?: { readonly ca?: string; readonly rejectUnauthorized: boolean };
}

export interface Searcher {
  /** Throws `upstream_unreachable` without an answer and `upstream_answer` for any status but 200. */
  search(body: string, signal: AbortSignal): Promise<SearchAnswer>;
  close(): void;
}

/** One connection that is kept, as one query is asked at a time. Credentials in the address are sent. */
export function createSearcher(target: SearchTarget): Searcher {
  const isTls = target.url.protocol === 'https:';
  const agent = isTls
    ? new HttpsAgent({ keepAlive: true, maxSockets: 1, ...target.tls })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const address = withoutCredentials(target.url);
  const path = `${target.url.pathname.replace(/\/$/, '')}/${encodeURIComponent(target.index).replaceAll('%2C', ',')}/_search`;
  const { username, password } = target.url;
  const auth =
    username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };

  async function search(body: string, signal: AbortSignal): Promise<SearchAnswer> {
    const started = performance.now();
    const response = await exchange(
      target.url,
      {
        agent,
        method: 'POST',
        path,
        signal,
        ...auth,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(target.wish === undefined ? {} : { [OUR_HEADER]: target.wish }),
        },
      },
      body,
    ).catch((error: unknown) => {
      if (signal.aborted)
        throw new TwinrankError('cancelled', 'The evaluation was stopped.', { cause: error });
      throw new TwinrankError('upstream_unreachable', `${address} cannot be reached (${String(error)}).`, {
        cause: error,
      });
    });
    const milliseconds = performance.now() - started;
    if (response.status !== 200) {
      const words = response.body.toString('utf8').slice(0, 300);
      throw new TwinrankError(
        'upstream_answer',
        `${address} answered a search with status ${response.status}: ${words}`,
      );
    }
    const outcome = response.headers[OUR_HEADER];
    return {
      hits: hitsOf(response.body, target, address),
      milliseconds,
      outcome: typeof outcome === 'string' ? outcome : null,
    };
  }

  return { search, close: () => agent.destroy() };
}

interface Exchange {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function exchange(url: URL, options: RequestOptions, body: string): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const request = send({ ...options, protocol: url.protocol, host, port: url.port }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function hitsOf(body: Buffer, { textField, titleField }: SearchTarget, address: string): Hit[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new TwinrankError(
      'upstream_answer',
      `${address} answered a search with something that is not JSON.`,
      { cause: error },
    );
  }
  const outer = isRecord(parsed) ? parsed['hits'] : undefined;
  const hits = isRecord(outer) ? outer['hits'] : undefined;
  if (!Array.isArray(hits))
    throw new TwinrankError('upstream_answer', `${address} answered a search without hits.`);
  return hits.filter(isRecord).map((hit) => {
    return {
      id: String(hit['_id']),
      score: typeof hit['_score'] === 'number' ? hit['_score'] : null,
      text: textField === null ? undefined : textAt(hit['_source'], textField),
      title: titleField === undefined ? undefined : textAt(hit['_source'], titleField),
      ...shownScores(hit['fields']),
    };
  });
}

/** Text of a field; a dotted name may be a path through objects. */
function textAt(source: unknown, field: string): string | undefined {
  if (!isRecord(source)) return undefined;
  const own = source[field];
  if (typeof own === 'string') return own;
  const dot = field.indexOf('.');
  return dot === -1 ? undefined : textAt(source[field.slice(0, dot)], field.slice(dot + 1));
}

/** What the proxy shows under `fields._twinrank` where it is asked for scores. */
function shownScores(fields: unknown): Pick<Hit, 'engineScore' | 'logOdds'> {
  const list = isRecord(fields) ? fields['_twinrank'] : undefined;
  const shown: unknown = Array.isArray(list) ? list[0] : undefined;
  if (!isRecord(shown)) return {};
  const { engine_score: engineScore, log_odds: logOdds } = shown;
  return {
    ...(typeof engineScore === 'number' ? { engineScore } : {}),
    ...(typeof logOdds === 'number' ? { logOdds } : {}),
  };
}
