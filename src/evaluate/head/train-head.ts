/** The whole training: strengths tried by cross-validation, the head at the chosen one, calibrated on what was held out. */
import { cosine } from '../../model/cosine.js';
import { mean, pairedBootstrap } from '../statistics.js';
import { frameOf, type Strengths } from './anchored-head.js';
import { calibrationFigures, logisticOf, plattOf, type Calibration } from './calibration.js';
import { strongestGood } from './choose-strength.js';
import { crossValidate } from './cross-validate.js';
import { fitAnchor, fitHead } from './fit-head.js';
import type { Folds } from './folds.js';
import { createGradientPool } from './gradient-pool.js';
import type { Difference, HeadReport, MeasureReport } from './head-report.js';
import { NO_FOLD, type TrainingRows } from './training-rows.js';

/** What is learned from, and how it is measured. Scores are one number a row. */
export interface TrainingProblem {
  readonly kind: HeadReport['kind'];
  /** All rows, for the head that is written. */
  readonly all: TrainingRows;
  /** The rows of the cross-validation: all, or a sample of a large set. */
  readonly rows: TrainingRows;
  readonly folds: Folds;
  /** Rows of the cross-validation that tell of a probability, and whether they are similar (1) or not (0). */
  readonly judged: Int32Array;
  readonly labels: Uint8Array;
  /** Penalties at a strength. */
  readonly strengths: (strength: number) => Strengths;
  /**
   * Each gives a value for each pair or query, higher is better. The first one chooses the strength and decides, so it
   * should be the loss that heads are fitted to: it is smooth, and sees what a measure of the top cannot.
   */
  readonly measures: readonly Measure[];
  readonly examples: HeadReport['examples'];
}

export interface Measure {
  readonly name: string;
  /** Scores are log-odds of rows; higher is better, also where `isLoss`. */
  readonly of: (scores: Float64Array) => readonly number[];
  /** What is shown instead of the mean, where that is not the measure. */
  readonly shown?: (scores: Float64Array) => number;
  /** It is shown with the other sign, so that smaller is better. */
  readonly isLoss?: boolean;
  /** It means something only for scores whose scale was fitted to it, so not for cosines. */
  readonly needsScale?: boolean;
}

export interface TrainOptions {
  /** Threads that may be used. */
  readonly cores: number;
  readonly seed: number;
  /** Write the head though it is not better than the anchor. */
  readonly force: boolean;
  /** From strong to weak. */
  readonly tried: readonly number[];
  readonly signal: AbortSignal;
  readonly onFit?: (done: number, total: number) => void;
}

export interface TrainedHead {
  /** Calibrated: [w_u; w_v; w_d; b] of log-odds. */
  readonly weights: Float64Array;
  readonly report: HeadReport;
}

const RESAMPLES = 2_000;

export async function trainHead(problem: TrainingProblem, options: TrainOptions): Promise<TrainedHead> {
  const started = performance.now();
  const { rows, all, folds, measures } = problem;
  const deciding = measures[0] as Measure;
  const cosines = cosinesOf(rows);
  // Lists tell of an order within a query; over all queries even a good similarity can be without one.
  if (problem.kind === 'pairs') plattOf(judgedOf(cosines, problem), problem.labels);
  const frame = frameOf(all);
  const pool = createGradientPool(rows, options.cores);
  const isSample = rows !== all;
  const allPool = isSample ? createGradientPool(all, options.cores) : pool;
  try {
    const strengths = options.tried.map(problem.strengths);
    const found = await crossValidate({ rows, folds, frame, pool, ...options }, strengths);
    const chosen = strongestGood(found.heads.map(deciding.of));
    const headScores = found.heads[chosen] ?? found.anchor;
    const cosine = heldOutLogistic(cosines, problem);
    const shown = measures.map((measure) =>
      measureReport(measure, { cosine, anchor: found.anchor, head: headScores }, options.seed),
    );
    const isBetter = isBetterThanAnchor(shown, measures);
    const isHead = isBetter || options.force;
    const penalty = scaled(strengths[chosen] as Strengths, rows.left.length / all.left.length);
    const fitted = isHead
      ? await fitHead(allPool, frame, penalty, NO_FOLD)
      : await fitAnchor(allPool, frame, NO_FOLD);
    const scores = isHead ? headScores : found.anchor;
    const calibration = plattOf(judgedOf(scores, problem), problem.labels);
    return {
      weights: calibrated(fitted.weights, calibration),
      report: {
        kind: problem.kind,
        examples: problem.examples,
        folds: folds.count,
        cross_validated_on: isSample ? rows.left.length : null,
        strengths: options.tried.map((strength, i) => ({
          strength,
          figures: Object.fromEntries(
            measures.map((measure) => [measure.name, shownMean(measure, found.heads[i] ?? headScores)]),
          ),
          chosen: i === chosen,
        })),
        measures: shown,
        decided_by: deciding.name,
        verdict: isBetter ? 'head' : isHead ? 'head by force' : 'anchor',
        calibration: calibrationReport(scores, problem),
        seed: options.seed,
        seconds: (performance.now() - started) / 1000,
      },
    };
  } finally {
    await pool.close();
    if (isSample) await allPool.close();
  }
}

/** Better beyond noise by the measure that decides, and worse beyond noise by none. */
function isBetterThanAnchor(reports: readonly MeasureReport[], measures: readonly Measure[]): boolean {
  const verdicts = reports.map(({ over_anchor: over }, i) => {
    if (over === null) return 0;
    const { low, high } = over.interval;
    return signOf(measures[i] as Measure) * (low > 0 ? 1 : high < 0 ? -1 : 0);
  });
  return verdicts[0] === 1 && verdicts.every((verdict) => verdict >= 0);
}

function measureReport(
  measure: Measure,
  scores: { readonly cosine: Float64Array; readonly anchor: Float64Array; readonly head: Float64Array },
  seed: number,
): MeasureReport {
  const over = (base: Float64Array): Difference | null => {
    if (measure.shown !== undefined) return null;
    const sign = signOf(measure);
    const [of, from] = [measure.of(scores.head), measure.of(base)];
    const differences = of.map((value, i) => sign * (value - (from[i] ?? 0)));
    return {
      mean: mean(differences),
      interval: pairedBootstrap(differences, { resamples: RESAMPLES, seed }),
    };
  };
  return {
    name: measure.name,
    cosine: measure.needsScale === true ? null : shownMean(measure, scores.cosine),
    anchor: shownMean(measure, scores.anchor),
    head: shownMean(measure, scores.head),
    over_anchor: over(scores.anchor),
    over_cosine: measure.needsScale === true ? null : over(scores.cosine),
  };
}

function shownMean(measure: Measure, scores: Float64Array): number {
  return measure.shown?.(scores) ?? signOf(measure) * mean(measure.of(scores));
}

function signOf({ isLoss }: Measure): number {
  return isLoss === true ? -1 : 1;
}

function judgedOf(scores: Float64Array, { judged }: TrainingProblem): Float64Array {
  return Float64Array.from(judged, (row) => scores[row] as number);
}

/** Log-odds by a logistic fit to the scores, its two numbers fitted without the fold that they are for. */
function heldOutLogistic(scores: Float64Array, { folds, judged, labels }: TrainingProblem): Float64Array {
  const result = new Float64Array(scores.length);
  for (let fold = 0; fold < folds.count; fold++) {
    const places = [...judged.keys()].filter((i) => folds.of[judged[i] as number] !== fold);
    const { slope, shift } = logisticOf(
      places.map((i) => scores[judged[i] as number] as number),
      places.map((i) => labels[i] as number),
    );
    scores.forEach((score, row) => {
      if (folds.of[row] === fold) result[row] = slope * score + shift;
    });
  }
  return result;
}

/** After: each fold under a calibration that was fitted on the others. */
function calibrationReport(scores: Float64Array, problem: TrainingProblem): HeadReport['calibration'] {
  const none = { slope: 1, shift: 0 };
  const after = heldOutLogistic(scores, problem);
  return {
    before: calibrationFigures(judgedOf(scores, problem), problem.labels, none),
    after: calibrationFigures(judgedOf(after, problem), problem.labels, none),
  };
}

function calibrated(weights: Float64Array, { slope, shift }: Calibration): Float64Array {
  const result = weights.map((weight) => slope * weight);
  result[result.length - 1] = (result[result.length - 1] as number) + shift;
  return result;
}

/** A penalty is a prior: it does not grow with the data, while the loss beside it is a mean. */
function scaled({ u, v, d }: Strengths, by: number): Strengths {
  return { u: u * by, v: v * by, d: d * by };
}

function cosinesOf({ vectors: { values, dimensions }, left, right }: TrainingRows): Float64Array {
  const vectorAt = (place: number): Float32Array =>
    values.subarray(place * dimensions, (place + 1) * dimensions);
  return Float64Array.from(left, (place, row) => cosine(vectorAt(place), vectorAt(right[row] as number)));
}
