/**
 * Rewrites an encoder so that its matrices multiply in 8-bit whole numbers. Weights have one scale a column, fixed.
 * Activations have one scale a *token*, from its own largest number: what is rounded in one token then depends on no
 * other, so a vector is the same alone and in any batch, and nothing has to be calibrated. (A scale a tensor, which
 * onnxruntime's dynamic quantisation has, is that of the batch.) Everything between the matrices, and after the
 * pooling, stays in 32-bit floats.
 *
 * After a layer norm a few channels are many times larger than the rest, which would leave these few steps of the
 * token's scale. So each channel is divided by the square root of its size and the weights that meet it are
 * multiplied by the same: half of the difference goes to the weights, which have a scale for each column. Pure.
 */
import { ChannelSizes } from './int8-channels.js';
import { LARGEST_ACTIVATION, matrixOfBlocks, roundMatrix, type FloatMatrix } from './int8-matrix.js';
import {
  attributeOf,
  CONTRIB,
  floatsOf,
  makeNode,
  makeWeight,
  readGraph,
  withGraph,
  type OnnxGraph,
  type OnnxNode,
  type OnnxWeight,
} from './onnx-graph.js';
import { valuesAfterPooling } from './onnx-pooling.js';

/** Goes up with every change of what comes out, for the same encoder. Names files and vectors. */
export const INT8_VERSION = 2;

/** Smaller matrices take no time. */
const LEAST_INPUTS = 16;
/** What the code of nought is: in the middle, or low where numbers are hardly ever below nought. */
const MIDDLE = LARGEST_ACTIVATION / 2;
const LOW = 19;
const RATIO_LOW = (LOW - LARGEST_ACTIVATION) / LOW;
/** A token of noughts has the scale of this number. */
const LEAST = 1e-10;
/** The lowest number that comes out of an activation that is hardly ever below nought. */
const LOWEST = new Map([
  ['Gelu', -0.1701],
  ['FastGelu', -0.1701],
  ['BiasGelu', -0.1701],
  // Of x times sigmoid(alpha x), where alpha is 1 or more.
  ['QuickGelu', -0.2785],
  ['Relu', 0],
]);
/** From this opset on the axes of ReduceMax are an input. */
const AXES_ARE_INPUT = 18;
const PREFIX = 'int8_';

/**
 * The encoder in int8: the bytes depend on the given ones alone. Throws a plain Error where it has no matrix that can
 * be rewritten.
 */
export function toInt8(file: Buffer): Buffer {
  const graph = readGraph(file);
  const rewriting = new Rewriting(graph);
  const nodes = graph.nodes.flatMap((node) => rewriting.nodesFor(node));
  if (rewriting.matrices === 0) {
    throw new Error(
      'none of its matrices is stored in 32-bit floats or in the 4-bit blocks of MatMulNBits, so there is nothing to be computed in int8.',
    );
  }
  // What no node takes any more would only be carried along.
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const weights = [...graph.weights.values()].filter(({ name }) => used.has(name));
  return withGraph(file, nodes, [...weights, ...rewriting.weights]);
}

class Rewriting {
  readonly #graph: OnnxGraph;
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #afterPooling: ReadonlySet<string>;
  readonly #sizes: ChannelSizes;
  readonly #rounded = new Map<string, Rounded>();
  readonly weights: OnnxWeight[] = [];
  matrices = 0;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
    this.#afterPooling = valuesAfterPooling(graph);
    this.#sizes = new ChannelSizes(graph);
    this.weights.push(
      makeWeight(`${PREFIX}one`, [], Float32Array.of(1)),
      makeWeight(`${PREFIX}last_axis`, [1], BigInt64Array.of(-1n)),
      makeWeight(`${PREFIX}minus`, [], Float32Array.of(-1)),
      makeWeight(`${PREFIX}least`, [], Float32Array.of(LEAST)),
      ...[MIDDLE, LOW].flatMap((nought) => [
        makeWeight(`${PREFIX}nought_${nought}`, [], Uint8Array.of(nought)),
        makeWeight(`${PREFIX}above_${nought}`, [], Float32Array.of(LARGEST_ACTIVATION - nought)),
      ]),
    );
  }

  /** What takes the place of a node: itself, or the multiplication in int8 with an output of the same name. */
  nodesFor(node: OnnxNode): readonly OnnxNode[] {
    const matrix = this.#matrixOf(node);
    this.#sizes.follow(node, matrix);
    const [value, output] = [node.inputs[0], node.outputs[0]];
    if (matrix === null || value === undefined || output === undefined) return [node];
    // One that is applied once a text, not once a token, takes no time.
    if (this.#afterPooling.has(value)) return [node];
    this.matrices++;
    const name = `${PREFIX}${output}`;
    const { nodes, codes, largest, nought, factors } = this.#round(value, matrix.inputs);
    const rounded = roundMatrix(matrix, factors);
    // The scale of the activations is largest / (LARGEST_ACTIVATION - nought); the constant part goes with the weights.
    const scales = rounded.scales.map((scale) => scale / (LARGEST_ACTIVATION - nought));
    this.weights.push(
      makeWeight(`${name}_codes`, [matrix.inputs, matrix.outputs], rounded.codes),
      makeWeight(`${name}_scales`, [matrix.outputs], scales),
    );
    const inputs = [codes, `${name}_codes`, `${PREFIX}one`, `${name}_scales`, `${PREFIX}nought_${nought}`];
    return [
      ...nodes,
      makeNode('MatMulIntegerToFloat', inputs, `${name}_product`, { domain: CONTRIB }),
      makeNode('Mul', [`${name}_product`, largest], output),
    ];
  }

  /** Rounds each token by its own largest number; several matrices may take what comes out. */
  #round(value: string, channels: number): Rounded & { readonly nodes: readonly OnnxNode[] } {
    const known = this.#rounded.get(value);
    if (known !== undefined) return { ...known, nodes: [] };
    const producer = this.#producers.get(value)?.operator ?? '';
    const lowest = LOWEST.get(producer);
    const nought = lowest === undefined ? MIDDLE : LOW;
    const name = `${PREFIX}${value}`;
    const factors = producer === 'LayerNormalization' ? this.#factors(value, channels) : null;
    const rounded = { codes: `${name}_codes`, largest: `${name}_largest`, nought, factors };
    this.#rounded.set(value, rounded);
    const even = factors === null ? value : `${name}_even`;
    if (factors !== null)
      this.weights.push(
        makeWeight(
          `${name}_shares`,
          [channels],
          factors.map((factor) => 1 / factor),
        ),
      );
    const nodes = [
      ...(factors === null ? [] : [makeNode('Mul', [value, `${name}_shares`], even)]),
      this.#reduce('ReduceMax', even, `${name}_max`),
      ...this.#largest(even, name, rounded.largest, lowest),
      makeNode('Div', [`${PREFIX}above_${nought}`, rounded.largest], `${name}_factor`),
      makeNode('Mul', [even, `${name}_factor`], `${name}_scaled`),
      makeNode(
        'QuantizeLinear',
        [`${name}_scaled`, `${PREFIX}one`, `${PREFIX}nought_${nought}`],
        rounded.codes,
      ),
    ];
    return { ...rounded, nodes };
  }

  /** The number that gets the largest code, so that the lowest one gets none below 0. */
  #largest(value: string, name: string, output: string, lowest: number | undefined): readonly OnnxNode[] {
    if (lowest !== undefined) {
      // No need to look for it in each token.
      this.weights.push(
        makeWeight(`${name}_floor`, [], Float32Array.of(Math.max(lowest * RATIO_LOW, LEAST))),
      );
      return [makeNode('Max', [`${name}_max`, `${name}_floor`], output)];
    }
    return [
      this.#reduce('ReduceMin', value, `${name}_min`),
      makeNode('Mul', [`${name}_min`, `${PREFIX}minus`], `${name}_below`),
      makeNode('Max', [`${name}_max`, `${name}_below`, `${PREFIX}least`], output),
    ];
  }

  /** What each channel is divided by. */
  #factors(value: string, channels: number): Float32Array | null {
    const sizes = this.#sizes.of(value);
    return sizes?.length === channels ? Float32Array.from(sizes, Math.sqrt) : null;
  }

  #reduce(operator: string, value: string, output: string): OnnxNode {
    return this.#graph.opset >= AXES_ARE_INPUT
      ? makeNode(operator, [value, `${PREFIX}last_axis`], output, { attributes: { keepdims: 1 } })
      : makeNode(operator, [value], output, { attributes: { keepdims: 1, axes: [-1] } });
  }

  #matrixOf(node: OnnxNode): FloatMatrix | null {
    if (node.operator === 'MatMul' && node.domain === '') return this.#floatMatrix(node);
    if (node.operator === 'MatMulNBits' && node.domain === CONTRIB) return this.#blockMatrix(node);
    return null;
  }

  #floatMatrix({ inputs: [, name = ''] }: OnnxNode): FloatMatrix | null {
    const weight = this.#graph.weights.get(name);
    const [inputs = 0, outputs = 0, ...more] = weight?.shape ?? [];
    if (weight === undefined || more.length > 0 || inputs < LEAST_INPUTS) return null;
    const values = floatsOf(weight);
    return values && { inputs, outputs, values };
  }

  #blockMatrix(node: OnnxNode): FloatMatrix | null {
    const [, codes = '', scales = '', ...others] = node.inputs;
    const packed = this.#graph.weights.get(codes)?.raw ?? null;
    const blockScales = this.#graph.weights.get(scales);
    const [inputs, outputs, block] = ['K', 'N', 'block_size'].map((name) => attributeOf(node, name) ?? 0);
    const scaleValues = blockScales === undefined ? null : floatsOf(blockScales);
    if (packed === null || scaleValues === null) return null;
    // Noughts of their own for each block, other orders, and blocks that do not fill the matrix are not known here.
    const isKnown = (attributeOf(node, 'bits') ?? 4) === 4 && others.every((name) => name === '');
    if (!isKnown || !inputs || !outputs || !block || inputs % block !== 0) return null;
    return matrixOfBlocks(packed, scaleValues, { inputs, outputs, block });
  }
}

interface Rounded {
  /** Name of the 8-bit codes. */
  readonly codes: string;
  /** Name of each token's scale, times LARGEST_ACTIVATION - nought. */
  readonly largest: string;
  /** The code of 0. */
  readonly nought: number;
  /** What each channel was divided by first; null for 1. */
  readonly factors: Float32Array | null;
}
