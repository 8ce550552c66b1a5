/**
 * What an ONNX file says about itself, read without onnxruntime: for people who want to know what a bundle holds,
 * and for messages that name what a graph has instead of what was expected. Pure; field numbers are those of
 * onnx.proto (ONNX 1.17).
 */
import { blocksOf, fieldsOf, numberOf, textsOf } from './protobuf.js';

export interface OnnxTensor {
  readonly name: string;
  /** ONNX's own name, such as `int64`. */
  readonly type: string;
  /** Sizes, or the names of those that vary. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxFacts {
  readonly irVersion: number;
  /** Version by domain; ONNX's own operators have the domain `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
  /** How many nodes there are of each operator. */
  readonly operators: Readonly<Record<string, number>>;
}

const MODEL = { irVersion: 1, graph: 7, opset: 8 };
const OPSET = { domain: 1, version: 2 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { operator: 4 };
const TENSOR_NAME = 8;
const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};

/** Reads the facts. Throws a plain Error where the bytes are no ONNX model. */
export function readOnnx(file: Buffer): OnnxFacts {
  try {
    return factsOf(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`it is no ONNX model: ${reason}`, { cause: error });
  }
}

function factsOf(file: Buffer): OnnxFacts {
  const [graph] = blocksOf(file, MODEL.graph);
  if (graph === undefined) throw new Error('it has no graph.');
  const operators: Record<string, number> = {};
  const weights = new Set<string>();
  const inputs: OnnxTensor[] = [];
  const outputs: OnnxTensor[] = [];
  for (const field of fieldsOf(graph)) {
    if (field.type !== 'bytes') continue;
    if (field.number === GRAPH.node) {
      const [operator = '?'] = textsOf(field.bytes, NODE.operator);
      operators[operator] = (operators[operator] ?? 0) + 1;
    } else if (field.number === GRAPH.initializer) {
      for (const name of textsOf(field.bytes, TENSOR_NAME)) weights.add(name);
    } else if (field.number === GRAPH.input) inputs.push(tensorOf(field.bytes));
    else if (field.number === GRAPH.output) outputs.push(tensorOf(field.bytes));
  }
  const opsets: Record<string, number> = {};
  for (const opset of blocksOf(file, MODEL.opset)) {
    const [domain = ''] = textsOf(opset, OPSET.domain);
    opsets[domain === '' ? 'ai.onnx' : domain] = numberOf(opset, OPSET.version) ?? 0;
  }
  return {
    irVersion: numberOf(file, MODEL.irVersion) ?? 0,
    opsets,
    // Files of older versions list the weights among the inputs.
    inputs: inputs.filter(({ name }) => !weights.has(name)),
    outputs,
    operators,
  };
}

/** ValueInfoProto: name, type.tensor_type.{elem_type, shape.dim[].{dim_value, dim_param}}. */
function tensorOf(info: Buffer): OnnxTensor {
  const [name = ''] = textsOf(info, 1);
  const [type] = blocksOf(info, 2);
  const [tensor] = type === undefined ? [] : blocksOf(type, 1);
  if (tensor === undefined) return { name, type: '?', shape: [] };
  const [shape] = blocksOf(tensor, 2);
  const sizes = shape === undefined ? [] : blocksOf(shape, 1);
  return {
    name,
    type: ELEMENT_TYPES[numberOf(tensor, 1) ?? 0] ?? '?',
    shape: sizes.map((size) => numberOf(size, 1) ?? textsOf(size, 2)[0] ?? '?'),
  };
}
