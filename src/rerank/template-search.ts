/** Search templates: the engine renders them, with the caller's own rights, and what comes out is a search like any other. */
import type { Exchange } from '../http/pass-through.js';
import { collectFor } from '../http/request-id.js';
import { JsonScanError, memberNamed, scanDocument } from '../search-engine/json-scan.js';
import { isRecord } from '../search-engine/json-value.js';
import type { RerankContext } from './context.js';
import type { SkipReason } from './plan.js';
import { searchBody } from './read-request.js';
import type { Knobs } from './knobs.js';
import { routeOfRendered, targetWithout, type SearchRoute } from './search-route.js';
import { singleSearch, skip, widened, type AsAsked } from './single-search.js';

/**
 * Parameters that shape a search in `_search` and have no effect in `_search/template`, where the template says
 * it all: with one of them the two requests would not be the same.
 */
const SEARCH_ONLY: ReadonlySet<string> = new Set([
  'q',
  'df',
  'analyzer',
  'analyze_wildcard',
  'default_operator',
  'lenient',
  'from',
  'size',
  'sort',
  '_source',
  '_source_includes',
  '_source_excludes',
  'docvalue_fields',
  'stored_fields',
  'explain',
  'version',
  'seq_no_primary_term',
  'timeout',
  'terminate_after',
  'track_scores',
  'track_total_hits',
  'stats',
  'suggest_field',
  'suggest_mode',
  'suggest_size',
  'suggest_text',
  'source',
]);

/** Why a template request cannot be searched for as a plain one, before it is rendered. */
export function templateSkip(route: SearchRoute, bodies: readonly Buffer[]): SkipReason | undefined {
  if (route.parameters.some(({ name }) => SEARCH_ONLY.has(name))) return 'template_parameters';
  for (const body of bodies) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      return 'unreadable_body';
    }
    if (!isRecord(parsed)) return 'unreadable_body';
    if (parsed['explain'] === true || parsed['profile'] === true) return 'profile';
  }
  return undefined;
}

/** Answers `_search/template`. */
export async function templateSearch(
  context: RerankContext,
  asked: AsAsked,
  route: SearchRoute,
  knobs: Knobs,
): Promise<void> {
  const reason = templateSkip(route, [asked.body]);
  if (reason !== undefined) return skip(context, asked, reason);
  const rendered = await renderTemplate(context, asked.exchange, asked.body);
  if (rendered === undefined) return skip(context, asked, 'template_unrendered');
  // What is left of a template's own signs would be taken for more of them below.
  if (rendered.includes('{{')) return skip(context, asked, 'template_unrendered');
  const { body, changed, wishes } = searchBody(rendered, knobs, context.options);
  // What was for us inside the template must not reach the engine on any way.
  const stripped: AsAsked = changed ? { ...asked, body: asTemplate(body), sent: undefined } : asked;
  return singleSearch(context, stripped, routeOfRendered(route), body, wishes, (plan) => ({
    target: targetWithout(route),
    body: asTemplate(plan.body),
  }));
}

/** A search as a template without parameters: the engine's answers to templates have a form of their own. */
export function asTemplate(body: Buffer): Buffer {
  return Buffer.from(JSON.stringify({ source: body.toString('utf8'), params: {} }), 'utf8');
}

/** The search body that the engine makes of a template; undefined where it will not. */
export async function renderTemplate(
  context: RerankContext,
  exchange: Exchange,
  template: Buffer,
): Promise<Buffer | undefined> {
  const request = { ...widened(exchange, '/_render/template', template), method: 'POST' };
  const limits = { maxBytes: context.options.maxBodyBytes, signal: exchange.signal };
  const answer = await collectFor(exchange, request, limits);
  if (answer.status !== 200) return undefined;
  try {
    const output = memberNamed(answer.body, scanDocument(answer.body).members, 'template_output');
    return output === undefined ? undefined : answer.body.subarray(output.start, output.end);
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}
