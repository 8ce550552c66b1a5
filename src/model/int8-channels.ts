/**
 * How large the channels of an encoder's activations are, told by its weights alone: mean and variance of each
 * channel are followed from node to node as if channels were independent. That is rough, but it finds the few
 * channels that are many times larger than the rest, as well as a run over real texts does. Pure.
 */
import type { FloatMatrix } from './int8-matrix.js';
import type { OnnxGraph, OnnxNode } from './onnx-graph.js';
import { floatsOf } from './onnx-graph.js';

/** Of each channel. */
interface Moments {
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

/** An activation is one-dimensional, so its moments are sums over so many points of the normal distribution. */
const POINTS = Array.from({ length: 33 }, (_, i) => (i - 16) / 4);
const DENSITIES = POINTS.map((z) => Math.exp((-z * z) / 2));
const DENSITY = DENSITIES.reduce((sum, density) => sum + density, 0);

const gelu = (x: number): number => (x / 2) * (1 + Math.tanh(0.7978845608 * (x + 0.044715 * x * x * x)));
const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  Gelu: gelu,
  FastGelu: gelu,
  QuickGelu: gelu,
  BiasGelu: gelu,
  Relu: (x) => Math.max(x, 0),
  Tanh: Math.tanh,
};
/** Leave each channel as it is, in the end: heads are split and joined again. */
const UNCHANGED = new Set(['Identity', 'Reshape', 'Transpose']);

export class ChannelSizes {
  readonly #graph: OnnxGraph;
  readonly #moments = new Map<string, Moments>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** Takes a node into account; those before it must have been. `matrix` is what it multiplies its input with. */
  follow(node: OnnxNode, matrix: FloatMatrix | null): void {
    const moments = this.#after(node, matrix);
    const [output] = node.outputs;
    if (moments !== null && output !== undefined) this.#moments.set(output, moments);
  }

  /** The root mean square of each channel of a value, none of them nought; null where nothing is known. */
  of(value: string): Float64Array | null {
    const moments = this.#moments.get(value);
    if (moments === undefined) return null;
    const squares = moments.means.map((mean, i) => mean * mean + (moments.variances[i] as number));
    const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    if (!Number.isFinite(mean) || mean === 0) return null;
    return squares.map((square) => Math.sqrt(Math.max(square, LEAST_SHARE * mean)));
  }

  #after(node: OnnxNode, matrix: FloatMatrix | null): Moments | null {
    const [first = '', second = ''] = node.inputs;
    if (matrix !== null) return multiplied(this.#moments.get(first), matrix);
    const activation = ACTIVATIONS[node.operator];
    if (activation !== undefined)
      return activated(second === '' ? this.#known(first) : this.#sum(first, second), activation);
    if (UNCHANGED.has(node.operator)) return this.#known(first);
    if (node.operator === 'Add') return this.#sum(first, second);
    // Of attention: shares of the second input's tokens.
    if (node.operator === 'MatMul') return this.#known(second);
    if (node.operator === 'LayerNormalization') return this.#normalised(node);
    return null;
  }

  #known(value: string): Moments | null {
    return this.#moments.get(value) ?? this.#constant(value);
  }

  #constant(name: string): Moments | null {
    const weight = this.#graph.weights.get(name);
    const values = weight?.shape.length === 1 ? floatsOf(weight) : null;
    return values && { means: Float64Array.from(values), variances: new Float64Array(values.length) };
  }

  #sum(first: string, second: string): Moments | null {
    const [a, b] = [this.#known(first), this.#known(second)];
    if (a === null || b === null || a.means.length !== b.means.length) return null;
    return {
      means: a.means.map((mean, i) => mean + (b.means[i] as number)),
      variances: a.variances.map((variance, i) => variance + (b.variances[i] as number)),
    };
  }

  /** Of a value of which nothing is known each channel is taken to have mean 0 and variance 1 before the gain. */
  #normalised({ inputs: [value = '', gainName = '', shiftName = ''] }: OnnxNode): Moments | null {
    const gains = this.#constant(gainName)?.means;
    if (gains === undefined) return null;
    const size = gains.length;
    const shifts = this.#constant(shiftName)?.means ?? new Float64Array(size);
    const known = this.#moments.get(value);
    const means = known?.means ?? new Float64Array(size);
    const variances = known?.variances ?? new Float64Array(size).fill(1);
    if (means.length !== size || shifts.length !== size) return null;
    const centre = means.reduce((sum, mean) => sum + mean, 0) / size;
    const square = means.reduce((sum, m, i) => sum + (m - centre) ** 2 + (variances[i] as number), 0) / size;
    const deviation = Math.sqrt(square);
    if (!(deviation > 0)) return null;
    return {
      means: means.map(
        (mean, i) => ((mean - centre) / deviation) * (gains[i] as number) + (shifts[i] as number),
      ),
      variances: variances.map((variance, i) => (variance / square) * (gains[i] as number) ** 2),
    };
  }
}

/** Of the mean square, that a channel has at least: a channel of noughts is divided by something too. */
const LEAST_SHARE = 1e-6;

function multiplied(moments: Moments | undefined, { inputs, outputs, values }: FloatMatrix): Moments | null {
  if (moments?.means.length !== inputs) return null;
  const means = new Float64Array(outputs);
  const variances = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    const [mean, variance] = [moments.means[i] as number, moments.variances[i] as number];
    for (let k = 0; k < outputs; k++) {
      const weight = values[i * outputs + k] as number;
      means[k] = (means[k] as number) + mean * weight;
      variances[k] = (variances[k] as number) + variance * weight * weight;
    }
  }
  return { means, variances };
}

/** As if each channel were normally distributed. */
function activated(moments: Moments | null, activation: (x: number) => number): Moments | null {
  if (moments === null) return null;
  const means = new Float64Array(moments.means.length);
  const variances = new Float64Array(means.length);
  for (const [i, mean] of moments.means.entries()) {
    const deviation = Math.sqrt(moments.variances[i] as number);
    let [sum, squares] = [0, 0];
    for (const [at, z] of POINTS.entries()) {
      const value = activation(mean + deviation * z);
      sum += (DENSITIES[at] as number) * value;
      squares += (DENSITIES[at] as number) * value * value;
    }
    means[i] = sum / DENSITY;
    variances[i] = Math.max(0, squares / DENSITY - (sum / DENSITY) ** 2);
  }
  return { means, variances };
}
