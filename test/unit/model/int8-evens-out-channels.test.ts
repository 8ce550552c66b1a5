import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChannelSizes } from '../../../src/model/int8-channels.js';
import { toInt8 } from '../../../src/model/int8-graph.js';
import {
  LARGEST_ACTIVATION,
  LARGEST_CODE,
  matrixOfBlocks,
  roundMatrix,
  type FloatMatrix,
} from '../../../src/model/int8-matrix.js';
import { floatsOf, readGraph, type OnnxNode } from '../../../src/model/onnx-graph.js';
import { floats, node, smallGraph } from './small-graph.js';

const WIDTH = 32;
const LARGE = 5;
/** A layer whose outer matrix writes ten times as much into one channel. */
const WEIGHTS = [
  floats('gain', [WIDTH], 1),
  floats('shift', [WIDTH], 0),
  floats('inner', [WIDTH, 2 * WIDTH], (i) => Math.sin(i)),
  floats('bias', [2 * WIDTH], 0.1),
  floats('outer', [2 * WIDTH, WIDTH], (i) => Math.cos(i) * (i % WIDTH === LARGE ? 10 : 1)),
  floats('next', [WIDTH, WIDTH], (i) => Math.sin(3 * i)),
];
const NODES = [
  node('LayerNormalization', ['words', 'gain', 'shift'], 'norm'),
  node('MatMul', ['norm', 'inner'], 'product'),
  node('Add', ['product', 'bias'], 'biased'),
  node('Gelu', ['biased'], 'active'),
  node('MatMul', ['active', 'outer'], 'layer'),
  node('Add', ['layer', 'norm'], 'sum'),
  node('LayerNormalization', ['sum', 'gain', 'shift'], 'second_norm'),
  node('MatMul', ['second_norm', 'next'], 'last'),
];

function matrix(name: string): FloatMatrix | null {
  const weight = WEIGHTS.find((one) => one.name === name);
  const values = weight === undefined ? null : floatsOf(weight);
  const [inputs = 0, outputs = 0] = weight?.shape ?? [];
  return values && { inputs, outputs, values };
}

function sizesAfter(nodes: readonly OnnxNode[]): ChannelSizes {
  const sizes = new ChannelSizes(readGraph(smallGraph(nodes, WEIGHTS)));
  for (const one of nodes) sizes.follow(one, one.operator === 'MatMul' ? matrix(one.inputs[1] ?? '') : null);
  return sizes;
}

describe('the size of a channel', () => {
  it('is that of its gain after a norm of what is not known', () => {
    assert.deepEqual([...(sizesAfter(NODES).of('norm') ?? [])], new Array<number>(WIDTH).fill(1));
  });

  it('is many times that of the others where the weights write more into it', () => {
    const sizes = sizesAfter(NODES).of('second_norm') ?? new Float64Array();
    const others = sizes.filter((_, i) => i !== LARGE);
    assert.ok((sizes[LARGE] as number) > 5 * Math.max(...others), String(sizes));
    // A norm leaves a mean square of 1.
    const square = sizes.reduce((sum, size) => sum + size * size, 0) / WIDTH;
    assert.ok(Math.abs(square - 1) < 1e-9, String(square));
  });

  it('is that which numbers with this mean and deviation have after the activation', () => {
    const nodes = [
      node('LayerNormalization', ['words', 'gain', 'shift'], 'norm'),
      node('Relu', ['norm'], 'active'),
    ];
    // The mean square of what is above nought in a normal distribution is a half.
    const [size = 0] = sizesAfter(nodes).of('active') ?? [];
    assert.ok(Math.abs(size - Math.SQRT1_2) < 1e-3, String(size));
  });

  it('is not known after an operator that is not', () => {
    const sizes = sizesAfter([...NODES, node('Erf', ['last'], 'odd'), node('Add', ['odd', 'norm'], 'more')]);
    assert.equal(sizes.of('odd'), null);
    assert.equal(sizes.of('more'), null);
  });
});

describe('an int8 graph', () => {
  it('divides each channel after a norm by the square root of its size, and nothing else', () => {
    const file = smallGraph(NODES, WEIGHTS);
    const { nodes, weights } = readGraph(toInt8(file));
    const divided = nodes.filter(({ outputs }) => outputs[0]?.endsWith('_even'));
    assert.deepEqual(
      divided.map(({ inputs }) => inputs),
      [
        ['norm', 'int8_norm_shares'],
        ['second_norm', 'int8_second_norm_shares'],
      ],
    );
    const weight = weights.get('int8_second_norm_shares');
    const shares = weight === undefined ? null : floatsOf(weight);
    const sizes = sizesAfter(NODES).of('second_norm');
    assert.ok(Math.abs((shares?.[LARGE] ?? 0) ** 2 * (sizes?.[LARGE] ?? 0) - 1) < 1e-5);
    assert.ok(toInt8(file).equals(toInt8(file)));
  });
});

describe('a matrix in whole numbers', () => {
  const next = matrix('next') as FloatMatrix;
  const factors = Float32Array.from({ length: WIDTH }, (_, i) => 1 + (i % 3));

  it('is the rows times their factors, to half a step of each column', () => {
    for (const given of [null, factors]) {
      const { codes, scales } = roundMatrix(next, given);
      for (const [at, code] of codes.entries()) {
        const scale = scales[at % WIDTH] as number;
        const value = (next.values[at] as number) * (given?.[Math.floor(at / WIDTH)] ?? 1);
        assert.ok(Math.abs(code * scale - value) <= scale * 0.5001, `${at}: ${code * scale}, ${value}`);
        assert.ok(Math.abs(code) <= LARGEST_CODE);
      }
    }
  });

  it('does not overflow where two products are added in 16 bits', () => {
    assert.ok(2 * LARGEST_ACTIVATION * LARGEST_CODE <= 32_767);
  });

  it('is read out of 4-bit blocks', () => {
    // Two outputs of two blocks of two: codes 9, 7 | 8, 15 and 0, 8 | 10, 8.
    const packed = Uint8Array.of(0x79, 0xf8, 0x80, 0x8a);
    const scales = Float32Array.of(1, 2, 0.5, 4);
    const { values } = matrixOfBlocks(packed, scales, { inputs: 4, outputs: 2, block: 2 });
    assert.deepEqual([...values], [1, -4, -1, 0, 0, 8, 14, 0]);
  });

  it('is refused where a weight is no number', () => {
    assert.throws(
      () => roundMatrix({ inputs: 1, outputs: 1, values: Float32Array.of(Number.NaN) }, null),
      /its weights are not all finite/,
    );
  });
});
