/**
 * What a score is worth as a probability. Platt's two numbers (Platt 1999) are the only calibration that the head's
 * class rows can hold: a slope that multiplies all weights, and a shift that joins the bias. A step function, as
 * isotonic regression gives, has no place there. Pure.
 */
import { TwinrankError } from '../../errors.js';
import { probability } from '../../model/head.js';
import { crossEntropy } from './loss.js';

export interface Calibration {
  readonly slope: number;
  readonly shift: number;
}

const NEWTON_STEPS = 50;

/**
 * Slope and shift that maximise the likelihood of sigmoid(slope * score + shift), with Platt's smoothed targets so
 * that scores which separate the classes do not run off. Throws `bad_input_file` where higher scores mean less.
 */
export function plattOf(scores: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const { slope, shift } = logisticOf(scores, labels);
  if (slope > 0) return { slope, shift };
  throw new TwinrankError(
    'bad_input_file',
    'Texts that are more alike are not more often labelled similar here, so no probability can be made of it. ' +
      'Check that label 1 means "similar" and that texts and labels are not mixed up.',
  );
}

/** As plattOf, whatever the sign of the slope. */
export function logisticOf(scores: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const n = scores.length;
  let mean = 0;
  let positives = 0;
  for (let i = 0; i < n; i++) {
    mean += (scores[i] as number) / n;
    positives += labels[i] === 1 ? 1 : 0;
  }
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((scores[i] as number) - mean) ** 2 / n;
  const spread = Math.sqrt(Math.max(variance, 1e-24));
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (n - positives + 2);
  let slope = 0;
  let shift = Math.log((positives + 1) / (n - positives + 1));
  for (let step = 0; step < NEWTON_STEPS; step++) {
    // Gradient and Hessian of the mean loss in (slope, shift) over standardised scores.
    let gs = 0,
      gb = 0,
      ss = 1e-9,
      sb = 0,
      bb = 1e-9;
    for (let i = 0; i < n; i++) {
      const x = ((scores[i] as number) - mean) / spread;
      const p = probability(slope * x + shift);
      const off = (p - (labels[i] === 1 ? high : low)) / n;
      const weight = (p * (1 - p)) / n;
      gs += off * x;
      gb += off;
      ss += weight * x * x;
      sb += weight * x;
      bb += weight;
    }
    const determinant = ss * bb - sb * sb;
    const ds = clamped((bb * gs - sb * gb) / determinant);
    const db = clamped((ss * gb - sb * gs) / determinant);
    slope -= ds;
    shift -= db;
    if (Math.abs(ds) + Math.abs(db) < 1e-10) break;
  }
  return { slope: slope / spread, shift: shift - (slope / spread) * mean };
}

/** Far from the minimum a Newton step can overshoot. */
function clamped(step: number): number {
  return Math.max(-2, Math.min(2, step));
}

/** Mean squared difference of probability and label (Brier 1950), and mean cross-entropy. */
export interface CalibrationFigures {
  readonly brier: number;
  readonly log_loss: number;
  /** Brier of a guess at the share of positives, whatever the text. */
  readonly base_rate_brier: number;
  readonly reliability: readonly ReliabilityRow[];
}

/** One tenth of the probability scale. */
export interface ReliabilityRow {
  readonly from: number;
  readonly count: number;
  readonly predicted: number;
  readonly observed: number;
}

const BINS = 10;

export function calibrationFigures(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  { slope, shift }: Calibration,
): CalibrationFigures {
  const n = scores.length;
  const bins = Array.from({ length: BINS }, () => ({ count: 0, predicted: 0, observed: 0 }));
  let brier = 0;
  let logLoss = 0;
  let positives = 0;
  for (let i = 0; i < n; i++) {
    const z = slope * (scores[i] as number) + shift;
    const p = probability(z);
    const label = labels[i] === 1 ? 1 : 0;
    brier += (p - label) ** 2 / n;
    logLoss += crossEntropy(z, label) / n;
    positives += label / n;
    const bin = bins[Math.min(BINS - 1, Math.floor(p * BINS))];
    if (bin === undefined) continue;
    bin.count++;
    bin.predicted += p;
    bin.observed += label;
  }
  const reliability = bins.flatMap(({ count, predicted, observed }, i) =>
    count === 0 ? [] : [{ from: i / BINS, count, predicted: predicted / count, observed: observed / count }],
  );
  return { brier, log_loss: logLoss, base_rate_brier: positives * (1 - positives), reliability };
}
