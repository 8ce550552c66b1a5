/** Puts every query to engine and proxy, one at a time and in random turns, and keeps what came back. */
import { candidatesOf } from './fusion.js';
import type { Candidate } from './fusion.js';
import { equalToQuery, rankingOf } from './ranking.js';
import type { Hit } from './ranking.js';
import type { Qrels, Judgments } from './qrels.js';
import type { Query } from './queries.js';
import { createRandom, shuffled } from './random.js';
import { relevantCount } from './metrics.js';
import type { SearchAnswer, Searcher } from './search-http.js';

export interface EvaluationInput {
  readonly queries: readonly Query[];
  readonly qrels: Qrels;
}

export interface EvaluationDeps {
  readonly engine: Searcher;
  readonly proxy: Searcher;
  readonly bodyOf: (text: string) => string;
  /** Told after each query. */
  readonly onQuery?: (done: number, total: number) => void;
}

export interface EvaluationOptions {
  readonly seed: number;
  /** Queries that are asked first and not counted: both sides fill their caches. */
  readonly warmUp: number;
  /** Leave out candidates whose text equals the query. */
  readonly excludeEqual: boolean;
}

/** What one side answered to one query. */
export interface Answered {
  readonly ranking: readonly string[];
  /** As they came. */
  readonly hits: readonly Hit[];
  readonly milliseconds: number;
}

export interface QueryResult {
  readonly query: Query;
  readonly judgments: Judgments;
  readonly engine: Answered;
  readonly proxy: Answered;
  /** The proxy's `x-twinrank`. */
  readonly outcome: string | null;
  /** What other orders can be computed from, in the engine's order; excluded ones too, as they shape a blend. */
  readonly candidates: readonly Candidate[];
  /** Ids that no ranking may hold. */
  readonly excluded: ReadonlySet<string>;
}

export interface EvaluationRun {
  readonly results: readonly QueryResult[];
  /** Judged queries that have no relevant document and were not asked. */
  readonly withoutRelevant: number;
  /** Queries of the file that nobody judged. */
  readonly unjudged: number;
}

/** Which queries can be measured. */
export function measurable({ queries, qrels }: EvaluationInput): {
  readonly queries: readonly Query[];
  readonly withoutRelevant: number;
  readonly unjudged: number;
} {
  const judged = queries.filter(({ id }) => qrels.has(id));
  const usable = judged.filter(({ id }) => relevantCount(qrels.get(id) ?? new Map()) > 0);
  return {
    queries: usable,
    withoutRelevant: judged.length - usable.length,
    unjudged: queries.length - judged.length,
  };
}

/** Runs to the last query; rejects on the first search that fails, as a part of the queries gives no figure. */
export async function runEvaluation(
  input: EvaluationInput,
  deps: EvaluationDeps,
  options: EvaluationOptions,
  signal: AbortSignal,
): Promise<EvaluationRun> {
  const { queries, withoutRelevant, unjudged } = measurable(input);
  const random = createRandom(options.seed);
  const order = shuffled(queries, random);
  // From the far end, so that the first measured queries are not those that were just asked.
  for (const query of order.slice(Math.max(0, order.length - options.warmUp))) {
    await deps.engine.search(deps.bodyOf(query.text), signal);
    await deps.proxy.search(deps.bodyOf(query.text), signal);
  }
  const results: QueryResult[] = [];
  for (const query of order) {
    const body = deps.bodyOf(query.text);
    const engineFirst = random() < 0.5;
    const first = await (engineFirst ? deps.engine : deps.proxy).search(body, signal);
    const second = await (engineFirst ? deps.proxy : deps.engine).search(body, signal);
    const [engine, proxy] = engineFirst ? [first, second] : [second, first];
    results.push(
      resultOf(query, input.qrels.get(query.id) ?? new Map(), engine, proxy, options.excludeEqual),
    );
    deps.onQuery?.(results.length, order.length);
  }
  const asked = results.filter(({ judgments }) => relevantCount(judgments) > 0);
  return { results: asked, withoutRelevant: withoutRelevant + results.length - asked.length, unjudged };
}

/** An excluded candidate leaves the judgments too: no ranking could reach an ideal that still holds it. */
function resultOf(
  query: Query,
  judgments: Judgments,
  engine: SearchAnswer,
  proxy: SearchAnswer,
  excludeEqual: boolean,
): QueryResult {
  const excluded = new Set(
    excludeEqual ? [...equalToQuery(engine.hits, query.text), ...equalToQuery(proxy.hits, query.text)] : [],
  );
  const answered = ({ hits, milliseconds }: SearchAnswer): Answered => ({
    ranking: rankingOf(hits).filter((id) => !excluded.has(id)),
    hits,
    milliseconds,
  });
  return {
    query,
    judgments: excluded.size === 0 ? judgments : new Map([...judgments].filter(([id]) => !excluded.has(id))),
    engine: answered(engine),
    proxy: answered(proxy),
    outcome: proxy.outcome,
    candidates: candidatesOf(engine.hits, proxy.hits),
    excluded,
  };
}
