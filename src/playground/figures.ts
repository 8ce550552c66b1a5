/**
 * The figures of the judged view, by the same code as `twinrank eval`: the page has asked the searches, and here the
 * answers are put through the evaluation in place of engine and proxy.
 */
import { TwinrankError } from '../errors.js';
import { metricNamed } from '../evaluate/metrics.js';
import { parseQrels } from '../evaluate/qrels.js';
import { parseQueries, type Query } from '../evaluate/queries.js';
import type { Hit } from '../evaluate/ranking.js';
import { REPORT_DEFAULTS, reportOf, type EvaluationReport } from '../evaluate/report.js';
import { measurable, runEvaluation, type EvaluationInput } from '../evaluate/run-evaluation.js';
import type { SearchAnswer, Searcher } from '../evaluate/search-http.js';
import { isRecord } from '../search-engine/json-value.js';

/** Queries that one view may have: each is two searches, from a browser, of a system at work. */
export const MAX_JUDGED_QUERIES = 1000;

/** The default of `twinrank eval --seed`, so that both say the same. */
const SEED = 1;

/** The queries that can be measured, and those that cannot. */
export interface ReadJudgments {
  readonly queries: readonly (Query & { readonly judgments: Readonly<Record<string, number>> })[];
  readonly without_relevant: number;
  readonly unjudged: number;
}

/** Values of one query. */
export interface QueryFigures {
  readonly id: string;
  readonly engine: Readonly<Record<string, number>>;
  readonly twinrank: Readonly<Record<string, number>>;
}

export interface Figures {
  readonly report: EvaluationReport;
  /** In the order of the file. */
  readonly per_query: readonly QueryFigures[];
}

const PER_QUERY = ['nDCG@10', 'MRR@10'].map(metricNamed);

/** Reads both texts. Throws `bad_input_file` and `bad_request`. */
export function readJudgments(body: unknown): ReadJudgments {
  const input = inputOf(body);
  const { queries, withoutRelevant, unjudged } = measurable(input);
  if (queries.length === 0)
    throw new TwinrankError(
      'bad_input_file',
      'None of the queries has a judged relevant document; do the ids agree?',
    );
  if (queries.length > MAX_JUDGED_QUERIES)
    throw new TwinrankError(
      'bad_input_file',
      `${queries.length} queries are judged; the playground takes up to ${MAX_JUDGED_QUERIES}. Use "twinrank eval" for more.`,
    );
  return {
    queries: queries.map((query) => ({
      ...query,
      judgments: Object.fromEntries(input.qrels.get(query.id) ?? []),
    })),
    without_relevant: withoutRelevant,
    unjudged,
  };
}

/** Figures of `{queries, qrels, answers: {QUERY_ID: {engine, twinrank}}}`. Throws as {@link readJudgments} does. */
export async function figuresOf(body: unknown): Promise<Figures> {
  const input = inputOf(body);
  const answers = isRecord(body) && isRecord(body['answers']) ? body['answers'] : {};
  const run = await runEvaluation(
    input,
    {
      engine: givenAnswers(answers, input.queries, 'engine'),
      proxy: givenAnswers(answers, input.queries, 'twinrank'),
      bodyOf: (text) => text,
    },
    { seed: SEED, warmUp: 0, excludeEqual: false },
    new AbortController().signal,
  );
  const byId = new Map(run.results.map((result) => [result.query.id, result]));
  const perQuery = input.queries.flatMap(({ id }) => {
    const result = byId.get(id);
    if (result === undefined) return [];
    const values = (ranking: readonly string[]): Record<string, number> =>
      Object.fromEntries(PER_QUERY.map(({ name, of }) => [name, of(ranking, result.judgments)]));
    return [{ id, engine: values(result.engine.ranking), twinrank: values(result.proxy.ranking) }];
  });
  return { report: reportOf(run, { ...REPORT_DEFAULTS, seed: SEED }), per_query: perQuery };
}

function inputOf(body: unknown): EvaluationInput {
  const text = (name: string): string => {
    const value = isRecord(body) ? body[name] : undefined;
    if (typeof value !== 'string' || value.trim() === '')
      throw new TwinrankError('bad_request', `Give the text of the ${name}.`);
    return value;
  };
  return {
    queries: parseQueries(text('queries'), 'queries'),
    qrels: parseQrels(text('qrels'), 'judgments'),
  };
}

/** One side as it answered in the browser. Queries of the same text have the same answer. */
function givenAnswers(
  answers: Readonly<Record<string, unknown>>,
  queries: readonly Query[],
  side: 'engine' | 'twinrank',
): Searcher {
  const byText = new Map<string, SearchAnswer>();
  for (const { id, text } of queries) {
    const both = Object.hasOwn(answers, id) ? answers[id] : undefined;
    if (isRecord(both)) byText.set(text, answerOf(both[side]));
  }
  return {
    search: (text) => {
      const answer = byText.get(text);
      return answer === undefined
        ? Promise.reject(
            new TwinrankError('bad_request', `There is no answer for the query "${text.slice(0, 80)}".`),
          )
        : Promise.resolve(answer);
    },
    close: () => undefined,
  };
}

function answerOf(value: unknown): SearchAnswer {
  const { hits, milliseconds, outcome } = isRecord(value) ? value : {};
  return {
    hits: Array.isArray(hits) ? hits.filter(isRecord).map(hitOf) : [],
    milliseconds: typeof milliseconds === 'number' ? milliseconds : 0,
    outcome: typeof outcome === 'string' ? outcome : null,
  };
}

function hitOf({ id, score, engine_score: engineScore, log_odds: logOdds }: Record<string, unknown>): Hit {
  return {
    id: String(id),
    score: typeof score === 'number' ? score : null,
    ...(typeof engineScore === 'number' ? { engineScore } : {}),
    ...(typeof logOdds === 'number' ? { logOdds } : {}),
  };
}
