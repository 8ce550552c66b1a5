/** ONNX files of a few nodes, for tests of what is read of a graph and made of it. */
import {
  makeNode,
  makeWeight,
  withGraph,
  type OnnxNode,
  type OnnxWeight,
} from '../../../src/model/onnx-graph.js';
import { bytesField, numberField, textField } from '../../../src/model/protobuf-writer.js';

const OPSET = 21;

/** An ONNX file with these nodes and weights. Inputs and outputs are not declared, so it is not to be run. */
export function smallGraph(nodes: readonly OnnxNode[], weights: readonly OnnxWeight[]): Buffer {
  const empty = [
    ...bytesField(7, textField(2, 'small')),
    ...bytesField(8, [...textField(1, ''), ...numberField(2, OPSET)]),
  ];
  return withGraph(Buffer.concat(empty), nodes, weights);
}

/** A node of ONNX's own operators with attributes that are whole numbers or lists of them. */
export function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): OnnxNode {
  return makeNode(operator, inputs, output, { attributes });
}

/** 32-bit floats out of a row-major list, or all of them the same number. */
export function floats(
  name: string,
  shape: readonly number[],
  values: number | ((i: number) => number),
): OnnxWeight {
  const size = shape.reduce((product, length) => product * length, 1);
  const at = typeof values === 'number' ? () => values : values;
  return makeWeight(
    name,
    shape,
    Float32Array.from({ length: size }, (_, i) => at(i)),
  );
}

/** A list of 64-bit whole numbers; a single one may have no axis. */
export function integers(name: string, values: readonly number[], shape = [values.length]): OnnxWeight {
  return makeWeight(name, shape, BigInt64Array.from(values, BigInt));
}
