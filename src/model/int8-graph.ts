/**
 * Rewrites an encoder so that its matrices multiply in 8-bit whole numbers. Weights have one scale a column, fixed.
 * Activations have one scale a *token*, from its own largest number: what is rounded in one token then depends on no
 * other, so a vector is the same alone and in any batch, and nothing has to be calibrated. (A scale a tensor, which
 * onnxruntime's dynamic quantisation has, is that of the batch.) Everything between the matrices stays in 32-bit
 * floats. Pure.
 */
import { int8OfBlocks, int8OfFloats, type Int8Matrix } from './int8-matrix.js';
import {
  attributeOf,
  CONTRIB,
  ELEMENT,
  makeNode,
  makeWeight,
  readGraph,
  withGraph,
  type OnnxGraph,
  type OnnxNode,
  type OnnxWeight,
} from './onnx-graph.js';

/** Goes up with every change of what comes out, for the same encoder. Names files and vectors. */
export const INT8_VERSION = 1;

/** Smaller matrices take no time. */
const LEAST_INPUTS = 16;
/** What the code of nought is: in the middle, or low where numbers are hardly ever below nought. */
const MIDDLE = 128;
const LOW = 24;
const MOSTLY_POSITIVE = new Set(['Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu', 'Relu']);
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
  readonly #rounded = new Map<string, Rounded>();
  readonly weights: OnnxWeight[] = [];
  matrices = 0;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
    this.weights.push(
      makeWeight(`${PREFIX}one`, [], Float32Array.of(1)),
      makeWeight(`${PREFIX}last_axis`, [1], BigInt64Array.of(-1n)),
      // A token of noughts has the scale of this one.
      makeWeight(`${PREFIX}least`, [], Float32Array.of(1e-10)),
      ...[MIDDLE, LOW].flatMap((nought) => [
        makeWeight(`${PREFIX}nought_${nought}`, [], Uint8Array.of(nought)),
        makeWeight(`${PREFIX}above_${nought}`, [], Float32Array.of(255 - nought)),
        makeWeight(`${PREFIX}ratio_${nought}`, [], Float32Array.of((nought - 255) / nought)),
      ]),
    );
  }

  /** What takes the place of a node: itself, or the multiplication in int8 with an output of the same name. */
  nodesFor(node: OnnxNode): readonly OnnxNode[] {
    const matrix = this.#matrixOf(node);
    const [value, output] = [node.inputs[0], node.outputs[0]];
    if (matrix === null || value === undefined || output === undefined) return [node];
    this.matrices++;
    const name = `${PREFIX}${output}`;
    const { nodes, codes, largest, nought } = this.#round(value);
    // The scale of the activations is largest / (255 - nought); the constant part goes with the weights.
    const scales = matrix.scales.map((scale) => scale / (255 - nought));
    this.weights.push(
      makeWeight(`${name}_codes`, [matrix.inputs, matrix.outputs], matrix.codes),
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
  #round(value: string): Rounded & { readonly nodes: readonly OnnxNode[] } {
    const known = this.#rounded.get(value);
    if (known !== undefined) return { ...known, nodes: [] };
    const producer = this.#producers.get(value)?.operator ?? '';
    const nought = MOSTLY_POSITIVE.has(producer) ? LOW : MIDDLE;
    const name = `${PREFIX}${value}`;
    const rounded = { codes: `${name}_codes`, largest: `${name}_largest`, nought };
    this.#rounded.set(value, rounded);
    const nodes = [
      this.#reduce('ReduceMax', value, `${name}_max`),
      this.#reduce('ReduceMin', value, `${name}_min`),
      makeNode('Mul', [`${name}_min`, `${PREFIX}ratio_${nought}`], `${name}_below`),
      makeNode('Max', [`${name}_max`, `${name}_below`, `${PREFIX}least`], rounded.largest),
      makeNode('Div', [`${PREFIX}above_${nought}`, rounded.largest], `${name}_factor`),
      makeNode('Mul', [value, `${name}_factor`], `${name}_scaled`),
      makeNode(
        'QuantizeLinear',
        [`${name}_scaled`, `${PREFIX}one`, `${PREFIX}nought_${nought}`],
        rounded.codes,
      ),
    ];
    return { ...rounded, nodes };
  }

  #reduce(operator: string, value: string, output: string): OnnxNode {
    return this.#graph.opset >= AXES_ARE_INPUT
      ? makeNode(operator, [value, `${PREFIX}last_axis`], output, { attributes: { keepdims: 1 } })
      : makeNode(operator, [value], output, { attributes: { keepdims: 1, axes: [-1] } });
  }

  #matrixOf(node: OnnxNode): Int8Matrix | null {
    if (node.operator === 'MatMul' && node.domain === '') return this.#floatMatrix(node);
    if (node.operator === 'MatMulNBits' && node.domain === CONTRIB) return this.#blockMatrix(node);
    return null;
  }

  #floatMatrix({ inputs: [, name = ''] }: OnnxNode): Int8Matrix | null {
    const weight = this.#graph.weights.get(name);
    const [inputs = 0, outputs = 0, ...more] = weight?.shape ?? [];
    const raw = weight?.type === ELEMENT.float32 ? weight.raw : null;
    if (raw === null || more.length > 0 || inputs < LEAST_INPUTS) return null;
    return int8OfFloats(floatsOf(raw), inputs, outputs);
  }

  #blockMatrix(node: OnnxNode): Int8Matrix | null {
    const [, codes = '', scales = '', ...others] = node.inputs;
    const packed = this.#graph.weights.get(codes)?.raw ?? null;
    const blockScales = this.#graph.weights.get(scales);
    const [inputs, outputs, block] = ['K', 'N', 'block_size'].map((name) => attributeOf(node, name) ?? 0);
    const scaleBytes = blockScales?.type === ELEMENT.float32 ? blockScales.raw : null;
    if (packed === null || scaleBytes === null) return null;
    // Noughts of their own for each block, other orders, and blocks that do not fill the matrix are not known here.
    const isKnown = (attributeOf(node, 'bits') ?? 4) === 4 && others.every((name) => name === '');
    if (!isKnown || !inputs || !outputs || !block || inputs % block !== 0) return null;
    return int8OfBlocks(packed, floatsOf(scaleBytes), { inputs, outputs, block });
  }
}

interface Rounded {
  /** Name of the 8-bit codes. */
  readonly codes: string;
  /** Name of each token's scale, times 255 - nought. */
  readonly largest: string;
  /** The code of 0. */
  readonly nought: number;
}

/** A copy, since the bytes of a file need not begin where a float may. */
function floatsOf(raw: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(raw).buffer);
}
