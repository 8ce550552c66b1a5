/**
 * The parameters that are learned. A head starts as the plain L1 distance, w_d = -c and w_u = w_v = 0, the anchor,
 * and only its scale c and bias are free. What deviates from that is regularised, each part by its own strength:
 * a collection's own habits sit in the parts of u and v, so these are held the hardest.
 *
 * Parameters are [x_u; x_v; x_d; a; b'], over features that are centred and, part by part, of unit mean square. So a
 * strength means the same for every encoder, and the steps of the optimiser are well conditioned.
 */
import type { Evaluated } from './lbfgs.js';
import type { LossSum } from './loss.js';
import type { TrainingRows } from './training-rows.js';

/** Weights of the penalty strength / 2 * |x|^2 beside the mean loss; Infinity keeps the part at nought. */
export interface Strengths {
  readonly u: number;
  readonly v: number;
  readonly d: number;
}

/** Strengths under which the anchor stays as it is, but for scale and bias. */
export const ANCHOR: Strengths = { u: Infinity, v: Infinity, d: Infinity };

/** How features are centred and scaled. */
export interface FeatureFrame {
  readonly dimensions: number;
  /** Mean of [u; v; |u - v|]. */
  readonly centre: Float64Array;
  /** Root of the mean square of a number of each part, once centred. */
  readonly spread: readonly [u: number, v: number, d: number];
  /** Standard deviation of the L1 distance. */
  readonly anchorSpread: number;
}

/** Of all rows; at most about `most` are looked at. */
export function frameOf(rows: TrainingRows, most = 20_000): FeatureFrame {
  const { values, dimensions } = rows.vectors;
  const step = Math.max(1, Math.floor(rows.left.length / most));
  const centre = new Float64Array(3 * dimensions);
  const square = new Float64Array(3);
  const looked = Math.ceil(rows.left.length / step);
  let total = 0;
  let totalSquare = 0;
  for (let row = 0; row < rows.left.length; row += step) {
    const u = (rows.left[row] as number) * dimensions;
    const v = (rows.right[row] as number) * dimensions;
    let l1 = 0;
    for (let i = 0; i < dimensions; i++) {
      const features = [values[u + i] as number, values[v + i] as number, 0] as [number, number, number];
      features[2] = Math.abs(features[0] - features[1]);
      l1 += features[2];
      for (let part = 0; part < 3; part++) {
        const value = features[part] as number;
        centre[part * dimensions + i] = (centre[part * dimensions + i] as number) + value / looked;
        square[part] = (square[part] as number) + (value * value) / looked / dimensions;
      }
    }
    total += l1 / looked;
    totalSquare += (l1 * l1) / looked;
  }
  const spread = [0, 1, 2].map((part) => {
    const means = centre.subarray(part * dimensions, (part + 1) * dimensions);
    const meanSquare = means.reduce((sum, mean) => sum + mean * mean, 0) / dimensions;
    return Math.sqrt(Math.max(1e-12, (square[part] as number) - meanSquare));
  });
  return {
    dimensions,
    centre,
    spread: spread as [number, number, number],
    anchorSpread: Math.sqrt(Math.max(1e-12, totalSquare - total * total)),
  };
}

/** Parameters of the anchor at the scale 1 over the spread. */
export function anchorParameters({ dimensions }: FeatureFrame): Float64Array {
  const parameters = new Float64Array(3 * dimensions + 2);
  parameters[3 * dimensions] = 1;
  return parameters;
}

/** The head's own weights [w_u; w_v; w_d; b] from the parameters. */
export function weightsOf(parameters: Float64Array, frame: FeatureFrame): Float64Array {
  const { dimensions, centre, spread, anchorSpread } = frame;
  const weights = new Float64Array(3 * dimensions + 1);
  const anchor = (parameters[3 * dimensions] as number) / anchorSpread;
  let bias = parameters[3 * dimensions + 1] as number;
  for (let i = 0; i < 3 * dimensions; i++) {
    const part = Math.floor(i / dimensions) as 0 | 1 | 2;
    const weight = (parameters[i] as number) / spread[part] - (part === 2 ? anchor : 0);
    weights[i] = weight;
    bias -= weight * (centre[i] as number);
  }
  weights[3 * dimensions] = bias;
  return weights;
}

/** Mean loss plus penalty and its gradient in the parameters, from the sums in the head's own weights. */
export function penalised(
  sum: LossSum,
  parameters: Float64Array,
  frame: FeatureFrame,
  strengths: Strengths,
): Evaluated {
  const { dimensions, centre, spread, anchorSpread } = frame;
  const lists = Math.max(1, sum.lists);
  const gradient = new Float64Array(parameters.length);
  const ofBias = sum.gradient[3 * dimensions] as number;
  let value = sum.loss / lists;
  let ofAnchor = 0;
  for (let i = 0; i < 3 * dimensions; i++) {
    const part = Math.floor(i / dimensions) as 0 | 1 | 2;
    const strength = [strengths.u, strengths.v, strengths.d][part] as number;
    const centred = (sum.gradient[i] as number) - (centre[i] as number) * ofBias;
    if (part === 2) ofAnchor -= centred;
    if (strength === Infinity) continue;
    const x = parameters[i] as number;
    value += (strength / 2) * x * x;
    gradient[i] = centred / spread[part] / lists + strength * x;
  }
  gradient[3 * dimensions] = ofAnchor / anchorSpread / lists;
  gradient[3 * dimensions + 1] = ofBias / lists;
  return { value, gradient };
}
