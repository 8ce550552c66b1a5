/** Labelled pairs as something to learn from. */
import type { Strengths } from './anchored-head.js';
import { pairFolds } from './folds.js';
import { areaUnderCurve, hitsOf, lossesOf } from './pair-measures.js';
import { createRandom, shuffled } from '../random.js';
import type { TrainingProblem } from './train-head.js';
import { trainingRows, type VectorTable } from './training-rows.js';

export interface NumberedPairs {
  readonly vectors: VectorTable;
  /** Places in the table. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly labels: Uint8Array;
}

export interface PairOptions {
  readonly folds: number;
  readonly seed: number;
}

/** Of larger sets so many pairs choose the strength and measure it: more would add time, but no digit to a figure. */
const MOST_CROSS_VALIDATED = 40_000;

/** Strengths that are tried, from strong to weak. */
export const PAIR_STRENGTHS = [0.3, 0.1, 0.03, 0.01, 0.003] as const;

/**
 * The part of the first text u is held least: within one search it is the same for every hit, so what it learns of a
 * collection cannot harm an order. That of v is held harder, and the distance hardest: measured on Chinese question
 * pairs, weights of single distances learned there lower the order of another collection, see docs/models.md.
 */
function pairStrengths(strength: number): Strengths {
  return { u: strength, v: 10 * strength, d: 100 * strength };
}

export function pairProblem(
  { vectors, left, right, labels }: NumberedPairs,
  { folds: count, seed }: PairOptions,
  mostCrossValidated = MOST_CROSS_VALIDATED,
): TrainingProblem {
  const total = labels.length;
  const sample = sampleOf(total, mostCrossValidated, seed);
  const places = sample ?? Array.from({ length: total }, (_, i) => i);
  const some = {
    left: Int32Array.from(places, (i) => left[i] as number),
    right: Int32Array.from(places, (i) => right[i] as number),
    labels: Uint8Array.from(places, (i) => labels[i] as number),
  };
  const folds = pairFolds(some.left, some.right, count, seed);
  const rows = trainingRows('pairs', vectors, {
    left: some.left,
    right: some.right,
    target: some.labels,
    withheld: folds.withheld,
  });
  return {
    kind: 'pairs',
    all:
      sample === null
        ? rows
        : trainingRows('pairs', vectors, { left, right, target: labels, withheld: new Uint32Array(total) }),
    rows,
    folds,
    judged: Int32Array.from(some.labels, (_, i) => i),
    labels: some.labels,
    strengths: pairStrengths,
    measures: [
      { name: 'log loss', isLoss: true, of: (scores) => lossesOf(scores, some.labels).map((loss) => -loss) },
      { name: 'accuracy', of: (scores) => hitsOf(scores, some.labels) },
      { name: 'AUC', of: () => [], shown: (scores) => areaUnderCurve(scores, some.labels) },
    ],
    examples: {
      pairs: total,
      similar: labels.reduce((sum, label) => sum + label, 0),
      texts: new Set([...left, ...right]).size,
    },
  };
}

function sampleOf(total: number, most: number, seed: number): number[] | null {
  if (total <= most) return null;
  return shuffled(
    Array.from({ length: total }, (_, i) => i),
    createRandom(seed),
  ).slice(0, most);
}
