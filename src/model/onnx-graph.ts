/**
 * An ONNX graph taken apart into nodes and weights and put together again. What is not touched keeps its bytes. Pure;
 * field numbers are those of onnx.proto (ONNX 1.17).
 */
import { blocksOf, fieldsOf, numberOf, textsOf, type Field } from './protobuf.js';
import { bytesField, numberField, sameField, textField, type Parts } from './protobuf-writer.js';

export interface OnnxNode {
  readonly operator: string;
  /** Empty for ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The NodeProto. */
  readonly bytes: Parts;
}

export interface OnnxWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType; see {@link ELEMENT}. */
  readonly type: number;
  /** The TensorProto. */
  readonly bytes: Parts;
  /** The numbers, little-endian; null where they are not stored as raw bytes in this file. */
  readonly raw: Buffer | null;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly weights: ReadonlyMap<string, OnnxWeight>;
  /** Of ONNX's own operators. */
  readonly opset: number;
}

/** TensorProto.DataType. */
const ELEMENT = { float32: 1, uint8: 2, int8: 3, int64: 7 } as const;

const MODEL = { graph: 7, opset: 8 };
const OPSET = { domain: 1, version: 2 };
const GRAPH = { node: 1, weight: 5 };
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, int: 3, ints: 8, type: 20 };
const ATTRIBUTE_TYPE = { int: 2, ints: 7 };
const TENSOR = { shape: 1, type: 2, int64s: 7, name: 8, raw: 9 };

/** Reads a graph. Throws a plain Error where the bytes are no ONNX model. */
export function readGraph(file: Buffer): OnnxGraph {
  const [graph] = blocksOf(file, MODEL.graph);
  if (graph === undefined) throw new Error('it is no ONNX model: it has no graph.');
  const opset = blocksOf(file, MODEL.opset).find((entry) => (textsOf(entry, OPSET.domain)[0] ?? '') === '');
  const weights = blocksOf(graph, GRAPH.weight).map(weightOf);
  return {
    nodes: blocksOf(graph, GRAPH.node).map(nodeOf),
    weights: new Map(weights.map((weight) => [weight.name, weight])),
    opset: opset === undefined ? 0 : (numberOf(opset, OPSET.version) ?? 0),
  };
}

/** The file with other nodes and weights; `com.microsoft` operators may be among them. */
export function withGraph(file: Buffer, nodes: readonly OnnxNode[], weights: readonly OnnxWeight[]): Buffer {
  const parts: Buffer[] = [];
  let hasContrib = false;
  for (const field of fieldsOf(file)) {
    if (field.number === MODEL.graph && field.type === 'bytes') {
      parts.push(...bytesField(MODEL.graph, graphParts(field.bytes, nodes, weights)));
      continue;
    }
    hasContrib ||= isContribOpset(field);
    parts.push(...sameField(field));
  }
  if (!hasContrib) {
    const opset = [...textField(OPSET.domain, CONTRIB), ...numberField(OPSET.version, 1)];
    parts.push(...bytesField(MODEL.opset, opset));
  }
  return Buffer.concat(parts);
}

/** Domain of the operators that onnxruntime has beside ONNX's own. */
export const CONTRIB = 'com.microsoft';

/** A new node; attributes are whole numbers or lists of them. */
export function makeNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  { domain = '', attributes = {} }: NodeExtras = {},
): OnnxNode {
  const bytes = [
    ...inputs.flatMap((input) => textField(NODE.input, input)),
    ...textField(NODE.output, output),
    ...textField(NODE.name, output),
    ...textField(NODE.operator, operator),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      bytesField(NODE.attribute, attribute(name, value)),
    ),
    ...(domain === '' ? [] : textField(NODE.domain, domain)),
  ];
  return { operator, domain, inputs, outputs: [output], bytes };
}

interface NodeExtras {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A new weight. */
export function makeWeight(
  name: string,
  shape: readonly number[],
  values: Float32Array | Uint8Array | Int8Array | BigInt64Array,
): OnnxWeight {
  const type =
    values instanceof Float32Array
      ? ELEMENT.float32
      : values instanceof Uint8Array
        ? ELEMENT.uint8
        : values instanceof Int8Array
          ? ELEMENT.int8
          : ELEMENT.int64;
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const bytes = [
    ...shape.flatMap((size) => numberField(TENSOR.shape, size)),
    ...numberField(TENSOR.type, type),
    ...textField(TENSOR.name, name),
    ...bytesField(TENSOR.raw, [raw]),
  ];
  return { name, shape, type, bytes, raw };
}

/** A whole number among the attributes of a node, or undefined. */
export function attributeOf(node: OnnxNode, name: string): number | undefined {
  const attributes = blocksOf(Buffer.concat(node.bytes), NODE.attribute);
  const found = attributes.find((entry) => textsOf(entry, ATTRIBUTE.name)[0] === name);
  return found === undefined ? undefined : (numberOf(found, ATTRIBUTE.int) ?? 0);
}

/** A list of whole numbers among the attributes of a node, or undefined. */
export function listAttributeOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const attributes = blocksOf(Buffer.concat(node.bytes), NODE.attribute);
  const found = attributes.find((entry) => textsOf(entry, ATTRIBUTE.name)[0] === name);
  return found === undefined ? undefined : integersIn(found, ATTRIBUTE.ints);
}

/** The numbers of a weight of 32-bit floats, or null. A copy, since those of a file need not begin where a float may. */
export function floatsOf({ type, raw }: OnnxWeight): Float32Array | null {
  return type === ELEMENT.float32 && raw !== null ? new Float32Array(Uint8Array.from(raw).buffer) : null;
}

/** The numbers of a weight of 64-bit whole numbers, or null. */
export function integersOf(weight: OnnxWeight | undefined): readonly number[] | null {
  if (weight?.type !== ELEMENT.int64) return null;
  if (weight.raw !== null) return Array.from(new BigInt64Array(Uint8Array.from(weight.raw).buffer), Number);
  return integersIn(Buffer.concat(weight.bytes), TENSOR.int64s);
}

function nodeOf(bytes: Buffer): OnnxNode {
  return {
    operator: textsOf(bytes, NODE.operator)[0] ?? '',
    domain: textsOf(bytes, NODE.domain)[0] ?? '',
    inputs: textsOf(bytes, NODE.input),
    outputs: textsOf(bytes, NODE.output),
    bytes: [bytes],
  };
}

function weightOf(bytes: Buffer): OnnxWeight {
  return {
    name: textsOf(bytes, TENSOR.name)[0] ?? '',
    shape: integersIn(bytes, TENSOR.shape),
    type: numberOf(bytes, TENSOR.type) ?? 0,
    bytes: [bytes],
    raw: blocksOf(bytes, TENSOR.raw)[0] ?? null,
  };
}

/** Whole numbers of a repeated field; those below nought are stored as 64-bit ones. */
function integersIn(message: Buffer, number: number): number[] {
  const integers: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== number) continue;
    if (field.type === 'varint') integers.push(Number(BigInt.asIntN(64, field.value)));
    else integers.push(...packedNumbers(field.bytes));
  }
  return integers;
}

/** Some writers pack repeated numbers into one field. */
function packedNumbers(bytes: Buffer): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    numbers.push(Number(BigInt.asIntN(64, value)));
    [value, shift] = [0n, 0n];
  }
  return numbers;
}

function graphParts(graph: Buffer, nodes: readonly OnnxNode[], weights: readonly OnnxWeight[]): Parts {
  const others = [...fieldsOf(graph)].filter(
    ({ number }) => number !== GRAPH.node && number !== GRAPH.weight,
  );
  return [
    ...nodes.flatMap(({ bytes }) => bytesField(GRAPH.node, bytes)),
    ...weights.flatMap(({ bytes }) => bytesField(GRAPH.weight, bytes)),
    ...others.flatMap(sameField),
  ];
}

function attribute(name: string, value: number | readonly number[]): Parts {
  const parts = textField(ATTRIBUTE.name, name);
  if (typeof value === 'number')
    return [
      ...parts,
      ...numberField(ATTRIBUTE.int, value),
      ...numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE.int),
    ];
  return [
    ...parts,
    ...value.flatMap((entry) => numberField(ATTRIBUTE.ints, entry)),
    ...numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE.ints),
  ];
}

function isContribOpset(field: Field): boolean {
  if (field.number !== MODEL.opset || field.type !== 'bytes') return false;
  return textsOf(field.bytes, OPSET.domain)[0] === CONTRIB;
}
