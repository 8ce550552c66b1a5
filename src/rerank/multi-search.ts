/**
 * `_msearch`: each search is decided alone, all go upstream in one request, and each answer is rearranged in its
 * place. An answer that is an error belongs to a request that the caller did not send, so it is asked for again as
 * the caller wrote it.
 */
import { isAbort, TwinrankError } from '../errors.js';
import type { Exchange } from '../http/pass-through.js';
import type { CollectedAnswer } from '../http/upstream.js';
import { arrange, type QueryVector } from './arrange.js';
import type { RerankContext } from './context.js';
import { encodeWithin, type EncodeOutcome } from './encode-within.js';
import type { Knobs } from './knobs.js';
import { answerRanges, isError } from './multi-search-answers.js';
import { multiSearchLines, type SearchLine } from './multi-search-lines.js';
import { multiOutcomeHeader, skippedHeader, type Outcome } from './outcome.js';
import type { RerankPlan, SkipReason } from './plan.js';
import { searchBody, type SearchBody } from './read-request.js';
import { routeOfRendered, targetWithout, type SearchRoute } from './search-route.js';
import { note, noteMore } from './search-observer.js';
import {
  askEngine,
  encodedWithin,
  isBusy,
  makePlan,
  noteSkipped,
  send,
  skip,
  unarranged,
  widened,
  type AsAsked,
} from './single-search.js';
import { asTemplate, renderTemplate, templateSkip } from './template-search.js';

/** Templates that are rendered for one request; each costs a call. */
const MAX_TEMPLATES = 50;

/** One search of the request: what the caller asked, and what is asked in its place. */
interface Part {
  readonly line: SearchLine;
  readonly asked: SearchBody;
  readonly plan: RerankPlan | SkipReason;
}

const NEWLINE = Buffer.from('\n');

/** Answers `_msearch` and `_msearch/template`. */
export async function multiSearch(
  context: RerankContext,
  asked: AsAsked,
  route: SearchRoute,
  knobs: Knobs,
): Promise<void> {
  const { exchange } = asked;
  if (route.parameters.some(({ name }) => name === 'filter_path')) return skip(context, asked, 'filter_path');
  const lines = multiSearchLines(asked.body, route.index);
  if (lines === undefined) return skip(context, asked, 'unreadable_body');
  const searched =
    route.kind === 'msearch_template' ? await renderLines(context, exchange, route, lines) : lines;
  if (typeof searched === 'string') return skip(context, asked, searched);

  const lineRoute = routeOfRendered(route);
  const parts: Part[] = [];
  for (const line of searched) {
    const search = searchBody(line.body, knobs, context.options);
    parts.push({
      line,
      asked: search,
      plan: await makePlan(context, { ...lineRoute, index: line.index }, search.body, search.wishes),
    });
  }
  const plans = parts.flatMap(({ plan }) => (typeof plan === 'string' ? [] : [plan]));
  const changed = parts.some((part) => part.asked.changed);
  const asPlain = (part: Part): Buffer =>
    route.kind === 'msearch_template' ? asTemplate(part.asked.body) : part.asked.body;
  const asIs: AsAsked = changed ? { exchange, body: bodyOf(parts, asPlain), sent: undefined } : asked;
  if (plans.length === 0) return skip(context, asIs, commonReason(parts), parts.length);

  const texts = [...new Set(plans.map((plan) => plan.queryText))];
  exchange.record.query = texts.join('\n');
  const encoding = encodeWithin(context.deps.encoder, texts, context.remainingMs(), exchange.signal);
  const body = bodyOf(parts, (part) => (typeof part.plan === 'string' ? part.asked.body : part.plan.body));
  const target = targetWithout(lineRoute);
  let answer: CollectedAnswer;
  try {
    answer = await askEngine(context, exchange, widened(exchange, target, body, 'application/x-ndjson'));
  } catch (error) {
    encoding.cancel();
    if (isAbort(error) || (error instanceof TwinrankError && error.code !== 'body_too_large')) throw error;
    return skip(context, asIs, 'answer_too_large', parts.length);
  }
  if (answer.status !== 200) {
    encoding.cancel();
    if (isBusy(answer)) {
      noteSkipped(context, exchange, 'engine_error', parts.length);
      return send(exchange, answer, [answer.body], skippedHeader('engine_error'));
    }
    return skip(context, asIs, 'engine_error', parts.length);
  }
  const encoded = await encodedWithin(context, exchange, encoding);
  try {
    const { pieces, outcomes } = await arrangeAll(
      context,
      exchange,
      target,
      answer.body,
      parts,
      vectorsByText(encoded, texts),
    );
    noteAll(context, exchange, outcomes);
    send(
      exchange,
      answer,
      pieces,
      multiOutcomeHeader(outcomes, 'vectors' in encoded ? encoded.ms : undefined),
    );
  } catch (error) {
    return skip(context, asIs, unarranged(context, error), parts.length);
  }
}

/** Counts each search; the request's record says `applied` where one of them was, else why none was. */
function noteAll({ deps }: RerankContext, exchange: Exchange, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) deps.observer?.searched(outcome, 1);
  const reasons = new Set(
    outcomes.flatMap((outcome) => (outcome.kind === 'skipped' ? [outcome.reason] : [])),
  );
  const [first = 'mixed'] = reasons;
  note(
    exchange,
    outcomes.find(({ kind }) => kind !== 'skipped') ?? {
      kind: 'skipped',
      reason: reasons.size === 1 ? first : 'mixed',
    },
  );
  noteMore(exchange, { searches: outcomes.length });
}

/** Why nothing of a request is reranked: the one reason of all its searches, or that they have several. */
function commonReason(parts: readonly Part[]): SkipReason {
  const reasons = new Set(parts.flatMap(({ plan }) => (typeof plan === 'string' ? [plan] : [])));
  const [only] = reasons;
  return reasons.size === 1 && only !== undefined ? only : 'mixed';
}

async function renderLines(
  context: RerankContext,
  exchange: Exchange,
  route: SearchRoute,
  lines: readonly SearchLine[],
): Promise<readonly SearchLine[] | SkipReason> {
  const reason =
    lines.length > MAX_TEMPLATES
      ? 'body_too_large'
      : templateSkip(
          route,
          lines.map((line) => line.body),
        );
  if (reason !== undefined) return reason;
  const rendered: SearchLine[] = [];
  for (const line of lines) {
    const body = await renderTemplate(context, exchange, line.body);
    if (body === undefined || body.includes('\n')) return 'template_unrendered';
    rendered.push({ ...line, body });
  }
  return rendered;
}

function bodyOf(parts: readonly Part[], choose: (part: Part) => Buffer): Buffer {
  return Buffer.concat(parts.flatMap((part) => [part.line.header, NEWLINE, choose(part), NEWLINE]));
}

function vectorsByText(encoded: EncodeOutcome, texts: readonly string[]): (text: string) => QueryVector {
  if ('reason' in encoded) return () => ({ reason: encoded.reason });
  const vectors = new Map(texts.map((text, i) => [text, encoded.vectors[i]]));
  return (text) => {
    const vector = vectors.get(text);
    return vector === undefined ? { reason: 'encode_failed' } : { vector, ms: encoded.ms };
  };
}

async function arrangeAll(
  context: RerankContext,
  exchange: Exchange,
  target: string,
  bytes: Buffer,
  parts: readonly Part[],
  vectorOf: (text: string) => QueryVector,
): Promise<{ pieces: Buffer[]; outcomes: Outcome[] }> {
  const answers = answerRanges(bytes, parts.length);
  const failed = parts.filter((part, i) => typeof part.plan !== 'string' && isError(bytes, answers[i]));
  const repeated = await askAgain(context, exchange, target, failed);
  const outcomes: Outcome[] = [];
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const range = answers[i] ?? { start: at, end: at };
    const own = bytes.subarray(range.start, range.end);
    pieces.push(bytes.subarray(at, range.start));
    at = range.end;
    if (typeof part.plan === 'string') {
      // The same words for every refused search: see skip().
      outcomes.push({ kind: 'skipped', reason: isError(bytes, answers[i]) ? 'engine_error' : part.plan });
      pieces.push(own);
    } else if (failed.includes(part)) {
      outcomes.push({ kind: 'skipped', reason: 'engine_error' });
      pieces.push(repeated.get(part) ?? own);
    } else {
      const { pieces: arranged, outcome } = await arrange(
        context,
        part.plan,
        own,
        vectorOf(part.plan.queryText),
        { patchTook: false, signal: exchange.signal },
      );
      outcomes.push(outcome);
      pieces.push(...arranged);
    }
  }
  pieces.push(bytes.subarray(at));
  return { pieces, outcomes };
}

/** The engine's words about the searches as the caller wrote them; what it will not say again stays away. */
async function askAgain(
  context: RerankContext,
  exchange: Exchange,
  target: string,
  failed: readonly Part[],
): Promise<Map<Part, Buffer>> {
  if (failed.length === 0) return new Map();
  const body = bodyOf(failed, (part) => part.asked.body);
  const answer = await askEngine(context, exchange, widened(exchange, target, body, 'application/x-ndjson'));
  if (answer.status !== 200) return new Map();
  const ranges = answerRanges(answer.body, failed.length);
  return new Map(failed.map((part, i) => [part, answer.body.subarray(ranges[i]?.start, ranges[i]?.end)]));
}
