/** From the engine's answer to the caller's: read vectors, score, blend, order, splice. */
import { performance } from 'node:perf_hooks';
import { blendedLogOdds, orderByScore } from '../model/blend.js';
import { probability } from '../model/head.js';
import { stringAt, memberNamed } from '../search-engine/json-scan.js';
import { vectorFields } from '../search-engine/mapping-meta.js';
import type { RerankContext } from './context.js';
import { vectorCuts, type HitVector } from './hit-vector.js';
import type { Outcome, Skipped } from './outcome.js';
import type { RerankPlan } from './plan.js';
import { kendallTau } from './rank-correlation.js';
import { rescueVectors } from './rescue.js';
import { jsonNumber, spliceResponse, type Rearrangement } from './response-splice.js';
import { scoreVectors, storedVectors, type HitScores } from './score-hits.js';
import { scanResponse, type HitRanges, type ResponseRanges } from './search-response.js';
import { pagePositions } from './window.js';

/** The query's vector and what it cost, or why there is none. */
export type QueryVector =
  | { readonly vector: Float32Array; readonly ms: number }
  | { readonly reason: Extract<Outcome, { kind: 'skipped' }>['reason'] };

export interface Arranged {
  /** Concatenated, the body for the caller. */
  readonly pieces: Buffer[];
  readonly outcome: Outcome;
  /** Where the time went; waiting for the encoder is not in it. */
  readonly times: ArrangeTimes;
}

/** Milliseconds of our own parts. */
export interface ArrangeTimes {
  readonly scanMs: number;
  /** Decoding the vectors, scoring and ordering. */
  readonly scoreMs: number;
  readonly spliceMs: number;
}

export interface ArrangeOptions {
  /** `took` of the answer is set to the whole request's time. */
  readonly patchTook: boolean;
  readonly signal: AbortSignal;
}

/** Rearranges one search answer. Throws JsonScanError where it cannot be read. */
export async function arrange(
  context: RerankContext,
  plan: RerankPlan,
  bytes: Buffer,
  query: QueryVector,
  options: ArrangeOptions,
): Promise<Arranged> {
  const { deps } = context;
  const began = performance.now();
  const ranges = scanResponse(bytes);
  const scanMs = performance.now() - began;
  let scoreMs = 0;
  const finish = (
    order: readonly number[],
    change: Partial<Rearrangement>,
    outcome: (ownMs: number) => Outcome,
  ): Arranged => {
    const beganSplice = performance.now();
    const pieces = spliceResponse(bytes, ranges, {
      positions: pagePositions(order, ranges.hits.length, plan.window),
      scoreOf: () => undefined,
      maxScore: undefined,
      cutsOf: (hit) => cutsOf(bytes, hit, plan),
      took: options.patchTook ? Math.round(context.elapsedMs()) : undefined,
      ...change,
    });
    const spliceMs = performance.now() - beganSplice;
    deps.observer?.took('score', scanMs + scoreMs + spliceMs);
    return { pieces, outcome: outcome(scanMs + scoreMs + spliceMs), times: { scanMs, scoreMs, spliceMs } };
  };
  // An empty order leaves every hit where the engine put it.
  const asEngine = (reason: Skipped['reason']): Arranged =>
    finish([], {}, () => ({ kind: 'skipped', reason }));
  if (!('vector' in query)) return asEngine(query.reason);

  const window = ranges.hits.slice(0, plan.window.window);
  const beganDecode = performance.now();
  const stored = storedVectors(bytes, window, deps.encoder, plan.settings, plan.wholeSource);
  scoreMs = performance.now() - beganDecode;
  const vectors = await rescued(context, plan, bytes, window, stored, options.signal);
  const beganScore = performance.now();
  const scorer = deps.head.scorer(query.vector);
  const scores = scoreVectors(vectors, scorer);
  const encodedNow = vectors.filter((vector, i) => vector !== stored[i]).length;
  deps.observer?.vectors({ fresh: scores.scored - encodedNow, encodedNow, problems: scores.problems });
  if (scores.scored === 0 && window.length > 0) return asEngine('no_vectors');
  const engineScores = plan.blend === 0 ? [] : window.map((hit) => engineScore(bytes, hit));
  const blended = blendedLogOdds(scores.logOdds, engineScores, plan.blend);
  const order = orderByScore(blended);
  scoreMs += performance.now() - beganScore;

  const facts = {
    window: plan.window.window,
    scored: scores.scored,
    rescued: encodedNow,
    problems: scores.problems,
    encodeMs: query.ms,
    blend: plan.blend,
  };
  if (context.options.shadow) {
    const correlation = kendallTau(order);
    deps.onShadow?.(shadowReport(bytes, window, order, correlation));
    return finish([], {}, (ownMs) => ({ ...facts, kind: 'shadow', correlation, scoreMs: ownMs }));
  }
  const best = blended[order[0] ?? 0];
  const change: Partial<Rearrangement> = {
    // A hit without a probability gets 0: an engine's score beside probabilities would look like certainty.
    scoreOf: (position) => probability(blended[position] ?? -Infinity),
    maxScore: best === undefined ? undefined : probability(best),
    ...(plan.show === 'nothing'
      ? {}
      : {
          shownOf: (position) =>
            shownScores(bytes, ranges, position, { scores, blended, vectors, scorer, plan }),
        }),
  };
  return finish(order, change, (ownMs) => ({ ...facts, kind: 'applied', scoreMs: ownMs }));
}

/** On-the-fly vectors, where the whole source is there and something is missing. */
function rescued(
  context: RerankContext,
  plan: RerankPlan,
  bytes: Buffer,
  window: readonly HitRanges[],
  stored: readonly HitVector[],
  signal: AbortSignal,
): Promise<readonly HitVector[]> | readonly HitVector[] {
  const { maxEncodedNow } = context.options;
  if (!plan.wholeSource || maxEncodedNow === 0 || !stored.some((vector) => typeof vector === 'string'))
    return stored;
  const limits = { maxTexts: maxEncodedNow, remainingMs: context.remainingMs() };
  return rescueVectors(context.deps.encoder, bytes, window, stored, plan.settings, limits, signal);
}

function cutsOf(bytes: Buffer, hit: HitRanges, plan: RerankPlan): ReturnType<typeof vectorCuts> {
  const settings = plan.settings.get(hit.index);
  if (settings === undefined) return [];
  const ours = vectorFields(settings);
  return vectorCuts(bytes, hit, {
    inSource: plan.hide.inSource.filter((field) => ours.includes(field)),
    inFields: plan.hide.inFields.filter((field) => ours.includes(field)),
  });
}

/** The engine's `_score`; undefined where it is null or missing. */
function engineScore(bytes: Buffer, hit: HitRanges): number | undefined {
  const score =
    hit.score === undefined ? Number.NaN : Number(bytes.toString('latin1', hit.score.start, hit.score.end));
  return Number.isFinite(score) ? score : undefined;
}

interface Shown {
  readonly scores: HitScores;
  readonly blended: readonly (number | undefined)[];
  readonly vectors: readonly HitVector[];
  readonly scorer: ReturnType<RerankContext['deps']['head']['scorer']>;
  readonly plan: RerankPlan;
}

/** JSON of what is shown of a hit's scores; the engine's score keeps its own bytes. */
function shownScores(bytes: Buffer, ranges: ResponseRanges, position: number, shown: Shown): string {
  const { scores, blended, vectors, scorer, plan } = shown;
  const hit = ranges.hits[position];
  const parts: string[] = [];
  if (hit?.score !== undefined)
    parts.push(`"engine_score":${bytes.toString('latin1', hit.score.start, hit.score.end)}`);
  const logOdds = scores.logOdds[position];
  const vector = vectors[position];
  if (logOdds !== undefined) {
    parts.push(`"probability":${jsonNumber(probability(logOdds))}`, `"log_odds":${jsonNumber(logOdds)}`);
    if (plan.blend > 0)
      parts.push(
        `"blend":${jsonNumber(plan.blend)}`,
        `"blended_log_odds":${jsonNumber(blended[position] ?? logOdds)}`,
      );
    if (plan.show === 'parts' && vector instanceof Float32Array) {
      const { query, passage, distance } = scorer.parts(vector);
      parts.push(
        `"log_odds_parts":{"query":${jsonNumber(query)},"passage":${jsonNumber(passage)},"distance":${jsonNumber(distance)}}`,
      );
    }
  } else parts.push(`"unscored":"${typeof vector === 'string' ? vector : 'beyond_window'}"`);
  return `{${parts.join(',')}}`;
}

function shadowReport(
  bytes: Buffer,
  window: readonly HitRanges[],
  order: readonly number[],
  correlation: number,
): Parameters<NonNullable<RerankContext['deps']['onShadow']>>[0] {
  const ids = window.map((hit) => {
    const id = memberNamed(bytes, hit.members, '_id');
    return id === undefined ? '' : stringAt(bytes, id.start, id.end);
  });
  return {
    index: window[0]?.index ?? '',
    engine: ids,
    twinrank: order.map((position) => ids[position] ?? ''),
    correlation,
  };
}
