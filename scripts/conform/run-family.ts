/** Sends a table to the engine and to a service and compares the answers case by case. */
import { compareConversations, uncompressed, type Difference } from './compare.js';
import { compareReranked, isReranked, outcomeOf, withoutVector } from './compare-reranked.js';
import { titleOf, type ConformCase, type Family } from './request.js';
import { sendTo, type Side } from './side.js';
import type { Conversation, WireAnswer } from './wire.js';

export interface CaseDifference {
  readonly side: string;
  readonly title: string;
  readonly differences: readonly Difference[];
}

export interface FamilyResult {
  readonly name: string;
  /** Requests written, each sent to every side. */
  readonly requests: number;
  /** Answers compared with the engine's. */
  readonly compared: number;
  /** Answers of the engine by their status class, such as `2xx`. */
  readonly statuses: ReadonlyMap<string, number>;
  /** What the services said that they did. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly differences: readonly CaseDifference[];
  /** Requests that this engine answers with another status than the one that the table was written for. */
  readonly unlike: readonly string[];
  readonly ms: number;
}

export interface RunOptions {
  /** True where the services may rerank and add vectors; else every byte must be the engine's. */
  readonly settingsPresent: boolean;
  /** True for the engine that the table was written for: another status than the table's is a difference. */
  readonly statusesHold: boolean;
  readonly signal: AbortSignal;
}

/** A difference must show each time: an engine's own background work can change an answer between two requests. */
const ATTEMPTS = 3;

export async function runFamily(
  family: Family,
  direct: Side,
  others: readonly Side[],
  options: RunOptions,
): Promise<FamilyResult> {
  const started = Date.now();
  const statuses = new Map<string, number>();
  const outcomes = new Map<string, number>();
  const differences: CaseDifference[] = [];
  const unlike: string[] = [];
  let [requests, compared] = [0, 0];
  for (const one of family.cases) {
    options.signal.throwIfAborted();
    requests += 'pieces' in one ? one.methods.length : 1;
    const engines = await attempt(direct, one);
    for (const answer of 'answers' in engines ? engines.answers : [])
      count(statuses, `${/ (\d)/.exec(answer.statusLine)?.[1] ?? '?'}xx`);
    const status = unexpectedStatus(one, engines);
    if (status !== undefined && options.statusesHold)
      differences.push({ side: 'direct', title: titleOf(one), differences: [status] });
    else if (status !== undefined)
      unlike.push(`${status.through} in place of ${status.direct}: ${titleOf(one)}`);
    for (const side of others) {
      let theirs = await attempt(side, one);
      let found = await differencesOf(one, engines, theirs, direct, side, options);
      for (let n = 1; n < ATTEMPTS && found.length > 0 && !changes(one); n++) {
        const again = await attempt(direct, one);
        theirs = await attempt(side, one);
        found = await differencesOf(one, again, theirs, direct, side, options);
      }
      const answers = 'answers' in theirs ? theirs.answers : [];
      compared += answers.length;
      for (const answer of answers) count(outcomes, outcomeOf(answer));
      if (found.length > 0) differences.push({ side: side.name, title: titleOf(one), differences: found });
    }
  }
  const ms = Date.now() - started;
  return { name: family.name, requests, compared, statuses, outcomes, differences, unlike, ms };
}

type Attempt = Conversation | { readonly failure: string };

/** A broken connection is an answer too, to be compared with the other side's. */
async function attempt(side: Side, one: ConformCase): Promise<Attempt> {
  try {
    return await sendTo(side, one);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function changes(one: ConformCase): boolean {
  return 'pieces' in one || one.mutates === true;
}

/** The table's own mistake, or an engine that does not know the request. */
function unexpectedStatus(one: ConformCase, engines: Attempt): Difference | undefined {
  if ('pieces' in one || one.status === undefined) return undefined;
  const line = 'answers' in engines ? engines.answers[0]?.statusLine : engines.failure;
  const status = / (\d{3})/.exec(line ?? '')?.[1];
  if (Number(status) === one.status) return undefined;
  const where = 'the table expects another status of the engine';
  return { where, direct: String(one.status), through: status ?? line ?? 'no answer' };
}

async function differencesOf(
  one: ConformCase,
  engines: Attempt,
  theirs: Attempt,
  direct: Side,
  side: Side,
  options: RunOptions,
): Promise<Difference[]> {
  if (!('answers' in engines) || !('answers' in theirs)) {
    const words = (tried: Attempt): string => ('answers' in tried ? 'answered' : tried.failure);
    return [{ where: 'connection', direct: words(engines), through: words(theirs) }];
  }
  const prefixes = [direct.prefix, side.prefix];
  const watchClose = 'pieces' in one && one.watchClose === true;
  if (!options.settingsPresent) return compareConversations(engines, theirs, prefixes, { watchClose });
  const [answer, other] = [engines.answers[0], theirs.answers[0]];
  if (answer !== undefined && other !== undefined && isReranked(other))
    return compareReranked(answer, await wholeOf(one, direct, answer), other, prefixes);
  if (side.name === 'sidecar') {
    const isHead = !('pieces' in one) && one.method === 'HEAD';
    if (isHead || hasVector(engines) || hasVector(theirs))
      return compareConversations(unvectored(engines), unvectored(theirs), prefixes, { watchClose });
  }
  return compareConversations(engines, theirs, prefixes, { watchClose });
}

/** The engine's answer with all hits of the window, of which a reranked page may show any. */
async function wholeOf(one: ConformCase, direct: Side, page: WireAnswer): Promise<WireAnswer> {
  if ('pieces' in one || !/_search(?:\?|$)/.test(one.target)) return page;
  // Parameters are stronger than the body, and the last of two counts.
  const target = `${one.target}${one.target.includes('?') ? '&' : '?'}from=0&size=100`;
  const { keep: _keep, ...rest } = one;
  const answer = await sendTo(direct, { ...rest, target });
  return answer.answers[0] ?? page;
}

/** What is read back after a write through the sidecar has a vector that the direct one lacks. */
function unvectored(conversation: Conversation): Conversation {
  return {
    ...conversation,
    answers: conversation.answers.map((answer) => ({
      ...answer,
      headers: answer.headers.map((line) =>
        line
          .replace(/^(content-length: )\d+/i, '$1(any)')
          .replace(/^(content-encoding: )(\w+)/i, '$1($2, undone)'),
      ),
      body: Buffer.from(withoutVector(uncompressed(answer).toString('latin1')), 'latin1'),
    })),
  };
}

function hasVector(conversation: Conversation): boolean {
  return conversation.answers.some((answer) => uncompressed(answer).includes('twinrank_vector'));
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
