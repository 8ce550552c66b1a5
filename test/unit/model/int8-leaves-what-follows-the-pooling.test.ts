import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toInt8 } from '../../../src/model/int8-graph.js';
import { readGraph, type OnnxNode } from '../../../src/model/onnx-graph.js';
import { floats, integers, node, smallGraph } from './small-graph.js';

const WIDTH = 32;
const WEIGHTS = [
  floats('table', [9, WIDTH], 0.5),
  floats('per_token', [WIDTH, WIDTH], (i) => i % 7),
  floats('dense', [WIDTH, WIDTH], (i) => i % 5),
  floats('dense_2', [WIDTH, WIDTH], (i) => i % 3),
  integers('axis_1', [1]),
  integers('axis_2', [2]),
  integers('axis_before_last', [-2]),
  integers('first', [0], []),
  integers('from', [0]),
  integers('to', [1]),
  integers('to_2', [2]),
];
const TOKENS = [node('Gather', ['table', 'ids'], 'words'), node('MatMul', ['words', 'per_token'], 'tokens')];

/** The values that come out of matrices in int8, where these nodes follow a matrix that every token gets. */
function inInt8(...nodes: readonly OnnxNode[]): readonly string[] {
  const graph = readGraph(toInt8(smallGraph([...TOKENS, ...nodes], WEIGHTS)));
  const products = graph.nodes.filter(({ operator }) => operator === 'MatMulIntegerToFloat');
  return products.map(({ outputs }) => String(outputs[0]).replace(/^int8_(.*)_product$/, '$1'));
}

describe('in int8 a matrix that is applied once a text', () => {
  const dense = node('MatMul', ['pooled', 'dense'], 'vector');
  const poolings: Readonly<Record<string, readonly OnnxNode[]>> = {
    'the mean of the tokens': [
      node('Mul', ['tokens', 'mask'], 'kept'),
      node('ReduceSum', ['kept', 'axis_1'], 'sum', { keepdims: 0 }),
      node('ReduceSum', ['mask', 'axis_1'], 'count', { keepdims: 0 }),
      node('Div', ['sum', 'count'], 'pooled'),
    ],
    'their mean by an attribute': [node('ReduceMean', ['tokens'], 'pooled', { axes: [1], keepdims: 0 })],
    'their largest': [node('ReduceMax', ['tokens', 'axis_before_last'], 'pooled')],
    'the first token': [node('Gather', ['tokens', 'first'], 'pooled', { axis: 1 })],
    'a slice of one token': [node('Slice', ['tokens', 'from', 'to', 'axis_1'], 'pooled')],
  };
  for (const [name, nodes] of Object.entries(poolings)) {
    it(`stays in 32-bit floats after ${name}`, () => {
      assert.deepEqual(inInt8(...nodes, dense), ['tokens']);
    });
  }

  it('stays so after another one', () => {
    const first = node('Gather', ['tokens', 'first'], 'pooled', { axis: 1 });
    const second = [node('Tanh', ['vector'], 'bent'), node('MatMul', ['bent', 'dense_2'], 'last')];
    assert.deepEqual(inInt8(first, dense, ...second), ['tokens']);
  });

  const perToken: Readonly<Record<string, readonly OnnxNode[]>> = {
    'centred by the mean of its channels': [
      node('ReduceMean', ['tokens', 'axis_2'], 'mean', { keepdims: 1 }),
      node('Sub', ['tokens', 'mean'], 'pooled'),
    ],
    'to which the mean of all is added': [
      node('ReduceMean', ['tokens', 'axis_1'], 'mean', { keepdims: 1 }),
      node('Add', ['tokens', 'mean'], 'pooled'),
    ],
    'one of two that a slice takes': [node('Slice', ['tokens', 'from', 'to_2', 'axis_1'], 'pooled')],
    'whose shape a number comes from': [
      node('Shape', ['tokens'], 'shape'),
      node('Gather', ['shape', 'first'], 'size', { axis: 0 }),
      node('Reshape', ['tokens', 'size'], 'pooled'),
    ],
  };
  for (const [name, nodes] of Object.entries(perToken)) {
    it(`is not that of a token ${name}`, () => {
      assert.deepEqual(inInt8(...nodes, dense), ['tokens', 'vector']);
    });
  }
});
