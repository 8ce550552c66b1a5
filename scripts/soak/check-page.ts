/** Is a page that came through the proxy right? Pure: what it must be is reckoned from the engine and the head alone. */
import { elementsAt, membersAt, type Member } from '../conform/json-ranges.js';

/** One document that the engine finds for a query. */
export interface ExpectedHit {
  readonly id: string;
  /** The source's bytes as they were written, without the vector. */
  readonly source: string;
  /** As the engine shows it to one who asks it directly. */
  readonly stored: string;
  /** By the head, of the query's vector and the stored one. */
  readonly probability: number;
}

/** What a query must give. */
export interface ExpectedPage {
  /** The engine's first hits, as many as the window has, in its order. */
  readonly window: readonly ExpectedHit[];
  /** Hits of a page. */
  readonly size: number;
}

/** The floats of a batch differ by its shape; two hits that are nearer than this may stand in either order. */
const TOLERANCE = 2e-3;

/** Why a search was left to the engine although it could have been reranked: allowed, but counted. */
const FAIL_OPEN: ReadonlySet<string> = new Set([
  'encode_timeout',
  'encode_failed',
  'overloaded',
  'settings_unavailable',
  'engine_error',
  'partial_answer',
]);

/** Of these, the ones where the caller's own request goes to the engine, whose answer shows the vector field too. */
const AS_ASKED: ReadonlySet<string> = new Set(['settings_unavailable', 'engine_error', 'partial_answer']);

/** What is wrong with a search's answer; undefined where nothing is. `reason` is why it was left to the engine. */
export function pageProblem(
  answer: string,
  expected: ExpectedPage,
  reason: string | undefined,
): string | undefined {
  const hits = hitsOf(answer);
  if (hits === undefined) return `no page: ${answer.slice(0, 300)}`;
  const wanted = Math.min(expected.size, expected.window.length);
  if (hits.length !== wanted) return `${hits.length} hits and not ${wanted}`;
  const known = new Map(expected.window.map((hit) => [hit.id, hit]));
  const seen = new Set<string>();
  for (const { id, source } of hits) {
    const hit = known.get(id);
    if (hit === undefined) return `${id} is not of the engine's window`;
    if (seen.has(id)) return `${id} is there twice`;
    seen.add(id);
    const bytes = reason !== undefined && AS_ASKED.has(reason) ? hit.stored : hit.source;
    if (source !== bytes) return `${id} has other bytes (${reason}): ${source.slice(0, 200)}`;
  }
  return reason === undefined ? orderProblem(hits, expected) : engineOrderProblem(hits, expected, reason);
}

function engineOrderProblem(
  hits: readonly PageHit[],
  { window, size }: ExpectedPage,
  reason: string,
): string | undefined {
  if (!FAIL_OPEN.has(reason)) return `left to the engine for ${reason}`;
  const engine = window.slice(0, size).map(({ id }) => id);
  const ids = hits.map(({ id }) => id);
  return ids.join() === engine.join()
    ? undefined
    : `not the engine's order (${reason}): ${ids.join()} and not ${engine.join()}`;
}

function orderProblem(hits: readonly PageHit[], { window }: ExpectedPage): string | undefined {
  const probabilities = new Map(window.map(({ id, probability }) => [id, probability]));
  const of = (id: string): number => probabilities.get(id) ?? Number.NaN;
  for (const { id, score } of hits)
    if (!(Math.abs(score - of(id)) <= TOLERANCE)) return `${id} has the score ${score} and not ${of(id)}`;
  for (const [i, { id }] of hits.entries()) {
    const next = hits[i + 1];
    if (next !== undefined && of(next.id) > of(id) + TOLERANCE) return `${next.id} belongs before ${id}`;
  }
  const onPage = new Set(hits.map(({ id }) => id));
  const last = Math.min(...hits.map(({ id }) => of(id)));
  const missing = window.find((hit) => !onPage.has(hit.id) && hit.probability > last + TOLERANCE);
  return missing === undefined ? undefined : `${missing.id} belongs on the page`;
}

export interface PageHit {
  readonly id: string;
  readonly score: number;
  readonly source: string;
}

/** The hits of a search's answer; undefined where it is none. */
export function hitsOf(answer: string): readonly PageHit[] | undefined {
  const outer = valueAt(membersAt(answer, 0), 'hits');
  const inner = outer === undefined ? undefined : valueAt(membersAt(answer, outer), 'hits');
  if (inner === undefined) return undefined;
  return elementsAt(answer, inner).map((hit) => {
    const members = membersAt(answer, hit.start);
    const text = (key: string): string => {
      const found = members.find((one) => one.key === key);
      return found === undefined ? '' : answer.slice(found.start, found.end);
    };
    return { id: String(JSON.parse(text('_id'))), score: Number(text('_score')), source: text('_source') };
  });
}

function valueAt(members: readonly Member[], key: string): number | undefined {
  return members.find((one) => one.key === key)?.start;
}
