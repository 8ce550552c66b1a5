/** Learns a head from rows, for one fold or for none. */
import {
  ANCHOR,
  anchorParameters,
  penalised,
  weightsOf,
  type FeatureFrame,
  type Strengths,
} from './anchored-head.js';
import type { GradientPool } from './gradient-pool.js';
import { minimise } from './lbfgs.js';

export interface FittedHead {
  /** [x_u; x_v; x_d; a; b'], from which a fit at another strength may start. */
  readonly parameters: Float64Array;
  /** [w_u; w_v; w_d; b] */
  readonly weights: Float64Array;
}

const ITERATIONS = 200;
const TOLERANCE = 1e-6;

/** The head that minimises mean loss and penalty over all rows but those withheld for `fold`. */
export async function fitHead(
  pool: GradientPool,
  frame: FeatureFrame,
  strengths: Strengths,
  fold: number,
  start: Float64Array = anchorParameters(frame),
): Promise<FittedHead> {
  const { at } = await minimise(
    async (parameters) =>
      penalised(await pool.sum(weightsOf(parameters, frame), fold), parameters, frame, strengths),
    start,
    { iterations: ITERATIONS, tolerance: TOLERANCE },
  );
  return { parameters: at, weights: weightsOf(at, frame) };
}

/** The anchor with the scale and bias that fit best. */
export function fitAnchor(pool: GradientPool, frame: FeatureFrame, fold: number): Promise<FittedHead> {
  return fitHead(pool, frame, ANCHOR, fold);
}
