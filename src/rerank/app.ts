/**
 * The rerank proxy: searches are planned, asked for in a wider form, scored and put in order; everything else
 * passes through. Whatever goes wrong on our side, the caller gets the engine's own page.
 */
import { performance } from 'node:perf_hooks';
import { asTwinrankError, isAbort, TwinrankError } from '../errors.js';
import { headerValue, responseHeaders, without } from '../http/header-rules.js';
import { passThrough, upstreamRequest, type Exchange } from '../http/pass-through.js';
import { bodyStream, hasBody, readBody } from '../http/request-body.js';
import type { ExchangeHandler } from '../http/service.js';
import type { CollectedAnswer } from '../http/upstream.js';
import type { Encoder } from '../model/encoder.js';
import { probability, type Head } from '../model/head.js';
import type { SettingsReader } from '../search-engine/index-settings.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import { encodeWithin } from './encode-within.js';
import { vectorCuts } from './hit-vector.js';
import { acceptsJson, sendsPlainJson } from './media-types.js';
import { appliedHeader, skippedHeader, type FailOpenReason } from './outcome.js';
import { planSearch, readSearch, type RerankPlan, type SkipReason } from './plan.js';
import { spliceResponse } from './response-splice.js';
import { scoreHits, type HitScores } from './score-hits.js';
import { searchRoute, type SearchRoute } from './search-route.js';
import { scanResponse } from './search-response.js';
import { orderByScore, pagePositions } from './window.js';

export interface RerankDeps {
  readonly encoder: Encoder;
  readonly head: Head;
  readonly settings: SettingsReader;
  /** Told of failures that the caller does not see. */
  readonly onFailOpen?: (reason: FailOpenReason | SkipReason, error: TwinrankError) => void;
}

export interface RerankOptions {
  /** How long a caller may wait for the query's vector, in milliseconds from the request's arrival. */
  readonly budgetMs: number;
  /** Search bodies above this pass through unread. */
  readonly maxBodyBytes: number;
  /** Answers above this are not held in memory: the caller's own request is sent again and streamed. */
  readonly maxAnswerBytes: number;
}

export const DEFAULT_RERANK_OPTIONS: RerankOptions = {
  budgetMs: 150,
  maxBodyBytes: 10 * 1024 * 1024,
  maxAnswerBytes: 128 * 1024 * 1024,
};

/** The handler of the rerank proxy. */
export function createReranker(deps: RerankDeps, options: RerankOptions): ExchangeHandler {
  return async (exchange) => {
    const { request } = exchange;
    const route = searchRoute(request.method ?? '', request.url ?? '');
    if (route === undefined) return passThrough(exchange);
    const started = performance.now();
    if (!acceptsJson(request.rawHeaders)) return skip(exchange, 'format');
    if (!sendsPlainJson(request.rawHeaders)) return skip(exchange, 'content_encoding');
    const read = hasBody(request)
      ? await readBody(request, options.maxBodyBytes)
      : { bytes: Buffer.alloc(0), complete: true };
    if (!read.complete) {
      return passThrough(exchange, {
        body: bodyStream(request, read.bytes),
        addHeaders: () => skippedHeader('body_too_large'),
      });
    }
    const body = read.bytes;
    const plan = await makePlan(deps, route, body);
    if (typeof plan === 'string') return skip(exchange, plan, body);
    return rerank(deps, options, exchange, body, plan, started);
  };
}

/** The caller's own request, as it came, with the reason in the answer's header. */
function skip(exchange: Exchange, reason: SkipReason | FailOpenReason, body?: Buffer): Promise<void> {
  return passThrough(exchange, {
    ...(body === undefined ? {} : { body: body.length === 0 ? null : body }),
    addHeaders: () => skippedHeader(reason),
  });
}

async function makePlan(
  deps: RerankDeps,
  route: SearchRoute,
  body: Buffer,
): Promise<RerankPlan | SkipReason> {
  const candidate = readSearch(route, body);
  if (typeof candidate === 'string') return candidate;
  try {
    return planSearch(candidate, await deps.settings.forSearch(route.index), deps.encoder);
  } catch (error) {
    if (!(error instanceof TwinrankError)) throw error;
    deps.onFailOpen?.('settings_unavailable', error);
    return 'settings_unavailable';
  }
}

async function rerank(
  deps: RerankDeps,
  options: RerankOptions,
  exchange: Exchange,
  body: Buffer,
  plan: RerankPlan,
  started: number,
): Promise<void> {
  const { connection, signal } = exchange;
  const encoding = encodeWithin(
    deps.encoder,
    plan.queryText,
    Math.max(0, options.budgetMs - (performance.now() - started)),
    signal,
  );
  let answer: CollectedAnswer;
  try {
    answer = await connection.collect(widenedRequest(exchange, plan), {
      maxBytes: options.maxAnswerBytes,
      signal,
    });
  } catch (error) {
    encoding.cancel();
    if (isAbort(error) || (error instanceof TwinrankError && error.code !== 'body_too_large')) throw error;
    return skip(exchange, 'answer_too_large', body);
  }
  // The engine's words about a request that it did not get from the caller would mislead: it is asked again.
  if (answer.status !== 200) {
    encoding.cancel();
    return skip(exchange, 'engine_error', body);
  }
  const encoded = await encoding.result;
  let reply: Reply;
  try {
    reply = rearrange(deps, plan, answer, encoded, started);
  } catch (error) {
    const reason = error instanceof JsonScanError ? 'unreadable_answer' : 'internal_error';
    deps.onFailOpen?.(reason, asRerankError(error));
    return skip(exchange, reason, body);
  }
  send(exchange, answer, reply.pieces, reply.outcome);
  if (!('vector' in encoded)) deps.onFailOpen?.(encoded.reason, encoded.error);
}

/** The plan's request. The answer must come uncompressed, since its bytes are cut. */
function widenedRequest(exchange: Exchange, plan: RerankPlan): ReturnType<typeof upstreamRequest> {
  const request = upstreamRequest(exchange, { body: plan.body, bodyChanged: true });
  const headers = without(request.headers, 'accept-encoding');
  if (headerValue(headers, 'content-type') === undefined) headers.push('content-type', 'application/json');
  return { ...request, path: exchange.upstream.prefix + plan.target, headers };
}

function asRerankError(error: unknown): TwinrankError {
  if (!(error instanceof JsonScanError)) return asTwinrankError(error);
  const message = `The engine's search answer cannot be read: ${error.message}.`;
  return new TwinrankError('upstream_answer', message, { cause: error });
}

interface Reply {
  readonly pieces: Buffer[];
  readonly outcome: string[];
}

type Encoded = Awaited<ReturnType<typeof encodeWithin>['result']>;

function rearrange(
  deps: RerankDeps,
  plan: RerankPlan,
  answer: CollectedAnswer,
  encoded: Encoded,
  started: number,
): Reply {
  const bytes = answer.body;
  const ranges = scanResponse(bytes);
  const scoringStarted = performance.now();
  const head = ranges.hits.slice(0, plan.window.window);
  const scores: HitScores | undefined =
    'vector' in encoded
      ? scoreHits(bytes, head, encoded.vector, deps.head, deps.encoder, plan.settings, plan.wholeSource)
      : undefined;
  const reorders = scores !== undefined && (scores.scored > 0 || head.length === 0);
  const order = reorders ? orderByScore(scores.logOdds) : head.map((_, position) => position);
  const best = scores?.logOdds[order[0] ?? 0];
  const pieces = spliceResponse(bytes, ranges, {
    positions: pagePositions(order, ranges.hits.length, plan.window),
    // A hit without a probability gets 0: an engine's score beside probabilities would look like certainty.
    scoreOf: (position) => (reorders ? probability(scores.logOdds[position] ?? -Infinity) : undefined),
    maxScore: reorders && best !== undefined ? probability(best) : undefined,
    cutsOf: (hit) => {
      const settings = plan.settings.get(hit.index);
      return settings === undefined ? [] : vectorCuts(bytes, hit, settings.vectorField, plan.hide);
    },
    took: Math.round(performance.now() - started),
  });
  const scoreMs = performance.now() - scoringStarted;
  if (!('vector' in encoded)) return { pieces, outcome: skippedHeader(encoded.reason) };
  if (scores === undefined || !reorders) return { pieces, outcome: skippedHeader('no_vectors') };
  const { scored, problems } = scores;
  return {
    pieces,
    outcome: appliedHeader({ window: plan.window.window, scored, problems, encodeMs: encoded.ms, scoreMs }),
  };
}

function send(
  exchange: Exchange,
  answer: CollectedAnswer,
  pieces: readonly Buffer[],
  outcome: readonly string[],
): void {
  const { response } = exchange;
  const body = Buffer.concat(pieces);
  const headers = [
    ...without(responseHeaders(answer.headers), 'content-length'),
    'content-length',
    String(body.length),
    ...outcome,
  ];
  response.writeHead(answer.status, answer.statusMessage, headers);
  response.end(body);
}
