/** One `_search`: planned, sent in a wider form, rearranged; or sent as it came, with the reason. */
import { performance } from 'node:perf_hooks';
import { asTwinrankError, isAbort, TwinrankError } from '../errors.js';
import { headerValue, responseHeaders, without } from '../http/header-rules.js';
import { passThrough, upstreamRequest, type Exchange } from '../http/pass-through.js';
import { collectFor } from '../http/request-id.js';
import type { CollectedAnswer, UpstreamRequest } from '../http/upstream.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import { otherModelError } from '../search-engine/other-model.js';
import { arrange, type Arranged, type QueryVector } from './arrange.js';
import { strictError, type RerankContext } from './context.js';
import { encodeWithin, type EncodeOutcome, type Encoding } from './encode-within.js';
import { outcomeHeader, skippedHeader, type FailOpenReason, type Skipped } from './outcome.js';
import { planSearch, readSearch, type RerankPlan, type SearchWishes, type SkipReason } from './plan.js';
import { note, noteMore } from './search-observer.js';
import { PartialAnswerError } from './search-response.js';
import type { SearchRoute } from './search-route.js';
import { withinBudget } from './within-budget.js';

/** A request as it is sent where it is not reranked. */
export interface AsAsked {
  readonly exchange: Exchange;
  /** The caller's body, uncompressed and without what was for us. */
  readonly body: Buffer;
  /** The body as the caller sent it, where that will do; undefined where something of ours had to be cut out. */
  readonly sent: Buffer | undefined;
}

/** Sends the caller's own request, with the reason in the answer's header. */
export function skip(
  context: RerankContext,
  { exchange, body, sent }: AsAsked,
  reason: SkipReason | FailOpenReason,
  searches = 1,
): Promise<void> {
  noteSkipped(context, exchange, reason, searches);
  return passThrough(exchange, {
    body: (sent ?? body).length === 0 ? null : (sent ?? body),
    bodyChanged: sent === undefined,
    // One who is refused shall not learn from the reason whether there is such an index, and how it is set up.
    addHeaders: (status) => skippedHeader(status === 401 || status === 403 ? 'engine_error' : reason),
  });
}

/** Counts searches that are left to the engine, and records why. */
export function noteSkipped(
  { deps }: RerankContext,
  exchange: Exchange,
  reason: SkipReason | FailOpenReason,
  searches = 1,
): void {
  const outcome: Skipped = { kind: 'skipped', reason };
  deps.observer?.searched(outcome, searches);
  note(exchange, outcome);
}

/** The plan for a search, or why it is left alone. */
export async function makePlan(
  context: RerankContext,
  route: SearchRoute,
  body: Buffer,
  wishes: SearchWishes,
): Promise<RerankPlan | SkipReason> {
  const { deps, options } = context;
  const candidate = readSearch(route, body, wishes);
  if (typeof candidate === 'string') return candidate;
  // Nothing could be encoded any more, so nothing need be looked up.
  if (context.remainingMs() === 0) return 'settings_unavailable';
  try {
    const settings = await withinBudget(
      deps.settings.forSearch(route.index),
      context.remainingMs(),
      'The mapping was not read in time.',
    );
    const plan = planSearch(candidate, settings, deps.encoder, options);
    if (plan === 'other_model') {
      const [first] = settings.byIndex.values();
      if (first !== undefined) deps.onFailOpen?.(plan, otherModelError(route.index, first, deps.encoder));
    }
    return plan;
  } catch (error) {
    if (!(error instanceof TwinrankError)) throw error;
    deps.onFailOpen?.('settings_unavailable', error);
    return 'settings_unavailable';
  }
}

/**
 * Answers a search. `route` and `body` are what is searched for (after a template was rendered, the rendered ones);
 * `asked` is what the caller sent and what is sent again where reranking fails; `envelope` is how the plan is put to
 * the engine, as a plain search if left out.
 */
export async function singleSearch(
  context: RerankContext,
  asked: AsAsked,
  route: SearchRoute,
  body: Buffer,
  wishes: SearchWishes,
  envelope: (plan: RerankPlan) => { readonly target: string; readonly body: Buffer } = (plan) => plan,
): Promise<void> {
  const plan = await makePlan(context, route, body, wishes);
  if (typeof plan === 'string') return skip(context, asked, plan);
  const { exchange } = asked;
  const { target, body: widenedBody } = envelope(plan);
  const { signal } = exchange;
  exchange.record.query = plan.queryText;
  const encoding = encodeWithin(context.deps.encoder, [plan.queryText], context.remainingMs(), signal);
  let answer: CollectedAnswer;
  try {
    answer = await askEngine(context, exchange, widened(exchange, target, widenedBody));
  } catch (error) {
    encoding.cancel();
    if (isAbort(error) || (error instanceof TwinrankError && error.code !== 'body_too_large')) throw error;
    return skip(context, asked, 'answer_too_large');
  }
  // The engine's words about a request that it did not get from the caller would mislead: it is asked again.
  if (answer.status !== 200) {
    encoding.cancel();
    // An engine that has too much to do has said so of any request, and shall not get the same one twice.
    if (isBusy(answer)) {
      noteSkipped(context, exchange, 'engine_error');
      return send(exchange, answer, [answer.body], skippedHeader('engine_error'));
    }
    return skip(context, asked, 'engine_error');
  }
  const query = await queryVector(context, exchange, encoding);
  let arranged: Arranged;
  try {
    arranged = await arrange(context, plan, answer.body, query, { patchTook: true, signal });
  } catch (error) {
    return skip(context, asked, unarranged(context, error));
  }
  const { outcome, pieces, times } = arranged;
  context.deps.observer?.searched(outcome, 1);
  note(exchange, outcome);
  noteMore(exchange, { scoreMs: times.scanMs + times.scoreMs + times.spliceMs });
  send(exchange, answer, pieces, outcomeHeader(outcome));
}

/** The engine's answer to what is asked in the caller's place; its time is counted. */
export async function askEngine(
  { deps, options }: RerankContext,
  exchange: Exchange,
  request: UpstreamRequest,
): Promise<CollectedAnswer> {
  const began = performance.now();
  const answer = await collectFor(exchange, request, {
    maxBytes: options.maxAnswerBytes,
    signal: exchange.signal,
  });
  const ms = performance.now() - began;
  deps.observer?.took('upstream', ms);
  noteMore(exchange, { upstreamMs: ms });
  return answer;
}

/** What became of an encoding, counted; a failure is reported, and thrown in strict mode. */
export async function encodedWithin(
  { deps, options }: RerankContext,
  exchange: Exchange,
  encoding: Encoding,
): Promise<EncodeOutcome> {
  const encoded = await encoding.result;
  deps.observer?.took('encode', encoded.ms);
  noteMore(exchange, { encodeMs: encoded.ms });
  if ('reason' in encoded) {
    deps.onFailOpen?.(encoded.reason, encoded.error);
    if (options.strict) throw strictError(encoded.error);
  }
  return encoded;
}

/** The engine's queues are full: that is not about our wider request, as a tripped circuit breaker may be. */
export function isBusy({ status, body }: CollectedAnswer): boolean {
  return status === 429 && body.includes('rejected_execution_exception');
}

/** The one vector of an encoding, or the reason. */
async function queryVector(
  context: RerankContext,
  exchange: Exchange,
  encoding: Encoding,
): Promise<QueryVector> {
  const encoded = await encodedWithin(context, exchange, encoding);
  return 'vectors' in encoded
    ? { vector: encoded.vectors[0] ?? new Float32Array(), ms: encoded.ms }
    : { reason: encoded.reason };
}

/** Why an answer could not be rearranged; reported. */
export function unarranged(context: RerankContext, error: unknown): FailOpenReason {
  if (error instanceof PartialAnswerError) return 'partial_answer';
  const unreadable = error instanceof JsonScanError;
  const reason = unreadable ? 'unreadable_answer' : 'internal_error';
  const reported = unreadable
    ? new TwinrankError('upstream_answer', `The engine's search answer cannot be read: ${error.message}.`, {
        cause: error,
      })
    : asTwinrankError(error);
  context.deps.onFailOpen?.(reason, reported);
  return reason;
}

/** The request in its wider form. The answer must come uncompressed, since its bytes are cut. */
export function widened(
  exchange: Exchange,
  target: string,
  body: Buffer,
  contentType = 'application/json',
): ReturnType<typeof upstreamRequest> {
  const request = upstreamRequest(exchange, { body, bodyChanged: true });
  const headers = without(request.headers, 'accept-encoding');
  if (headerValue(headers, 'content-type') === undefined) headers.push('content-type', contentType);
  return { ...request, path: exchange.upstream.prefix + target, headers };
}

/** Sends an answer whose body we made. */
export function send(
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
