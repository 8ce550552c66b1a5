/**
 * The rerank proxy: searches are planned, asked for in a wider form, scored and put in order; everything else
 * passes through. Whatever goes wrong on our side, the caller gets the engine's own page.
 */
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { TwinrankError } from '../errors.js';
import { passThrough } from '../http/pass-through.js';
import { bodyStream } from '../http/request-body.js';
import type { ExchangeHandler } from '../http/service.js';
import type { RerankContext, RerankDeps, RerankOptions } from './context.js';
import type { Knobs } from './knobs.js';
import { acceptsJson, unreadableBody } from './media-types.js';
import { multiSearch } from './multi-search.js';
import { skippedHeader } from './outcome.js';
import {
  bodyOfSource,
  isForPipeline,
  knobsOfHeader,
  plainBytes,
  requestBody,
  searchBody,
} from './read-request.js';
import type { SkipReason } from './plan.js';
import { searchRoute, type SearchRoute } from './search-route.js';
import { noteSkipped, singleSearch, skip, type AsAsked } from './single-search.js';
import { templateSearch } from './template-search.js';

/** The handler of the rerank proxy. */
export function createReranker(deps: RerankDeps, options: RerankOptions): ExchangeHandler {
  return async (exchange) => {
    const { request } = exchange;
    const route = searchRoute(request.method ?? '', request.url ?? '');
    if (route === undefined) return passThrough(exchange);
    const started = performance.now();
    let budgetFrom = started;
    const elapsedMs = (): number => performance.now() - started;
    const context: RerankContext = {
      deps,
      options,
      elapsedMs,
      remainingMs: () => Math.max(0, options.budgetMs - (performance.now() - budgetFrom)),
    };
    exchange.record.kind = route.kind;
    const knobs = knobsOfHeader(exchange, options);
    const unread = (reason: SkipReason, body?: Readable): Promise<void> => {
      noteSkipped(context, exchange, reason);
      const addHeaders = (): string[] => skippedHeader(reason);
      return passThrough(exchange, body === undefined ? { addHeaders } : { body, addHeaders });
    };
    if (!acceptsJson(request.rawHeaders)) return unread('format');
    const unreadable = unreadableBody(request.rawHeaders);
    if (unreadable !== undefined) return unread(unreadable);
    const read = await requestBody(exchange, options.maxBodyBytes);
    if (!read.complete) return unread('body_too_large', bodyStream(request, read.bytes));
    // A caller who sends slowly waits for itself, not for us.
    budgetFrom = performance.now();
    const plain = await plainBytes(exchange, read.bytes, options.maxBodyBytes);
    const sent = { exchange, body: read.bytes, sent: read.bytes };
    return typeof plain === 'string'
      ? skip(context, sent, plain)
      : search(context, { ...sent, body: plain }, route, knobs);
  };
}

function search(context: RerankContext, asked: AsAsked, route: SearchRoute, knobs: Knobs): Promise<void> {
  if (route.kind === 'msearch' || route.kind === 'msearch_template')
    return multiSearch(context, asked, route, knobs);
  const asBody = bodyOfSource(route, asked.body);
  if (isForPipeline(route, asBody)) return skip(context, asked, 'search_pipeline');
  const { body, changed, wishes } = searchBody(asBody, knobs, context.options);
  if (changed && asBody !== asked.body) {
    const message =
      'ext.twinrank and ext.rerank cannot be given in the parameter "source"; send the search in the body.';
    throw new TwinrankError('bad_request', message);
  }
  const stripped: AsAsked = changed ? { ...asked, body, sent: undefined } : asked;
  return route.kind === 'search_template'
    ? templateSearch(context, stripped, route, wishes.knobs ?? {})
    : singleSearch(context, stripped, route, body, wishes);
}
