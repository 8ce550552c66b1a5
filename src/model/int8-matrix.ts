/**
 * Weights as whole numbers, one scale a column: from 32-bit floats, or from the 4-bit blocks of MatMulNBits. Pure.
 */

/**
 * Largest code. Seven bits and not eight: where a processor has no VNNI, products of 8-bit activations and weights
 * are added in pairs with 16 bits, and 2 x 255 x 127 does not fit. So every processor computes the same.
 */
const LARGEST_CODE = 63;

export interface Int8Matrix {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly codes: Int8Array;
  /** What code 1 stands for, by output. */
  readonly scales: Float32Array;
}

/** Of weights [inputs, outputs]. */
export function int8OfFloats(weights: Float32Array, inputs: number, outputs: number): Int8Matrix {
  return int8Of(inputs, outputs, (column, into) => {
    for (let i = 0; i < inputs; i++) into[i] = weights[i * outputs + column] as number;
  });
}

/**
 * Of MatMulNBits' 4-bit codes [outputs, inputs / block, block / 2], the even one in the low half of each byte, 8
 * standing for nought, and scales [outputs, inputs / block].
 */
export function int8OfBlocks(
  packed: Uint8Array,
  blockScales: Float32Array,
  { inputs, outputs, block }: { readonly inputs: number; readonly outputs: number; readonly block: number },
): Int8Matrix {
  const blocks = inputs / block;
  return int8Of(inputs, outputs, (column, into) => {
    for (let i = 0; i < inputs; i++) {
      const byte = packed[(column * inputs + i) >> 1] as number;
      const code = (i & 1) === 0 ? byte & 15 : byte >> 4;
      into[i] = (code - 8) * (blockScales[column * blocks + Math.floor(i / block)] as number);
    }
  });
}

function int8Of(
  inputs: number,
  outputs: number,
  readColumn: (column: number, into: Float64Array) => void,
): Int8Matrix {
  const codes = new Int8Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  const values = new Float64Array(inputs);
  for (let column = 0; column < outputs; column++) {
    readColumn(column, values);
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    if (!Number.isFinite(largest)) throw new Error('its weights are not all finite.');
    // A column of noughts may have any scale but nought.
    const scale = largest === 0 ? 1 : largest / LARGEST_CODE;
    scales[column] = scale;
    for (let i = 0; i < inputs; i++) codes[i * outputs + column] = Math.round((values[i] as number) / scale);
  }
  return { inputs, outputs, codes, scales };
}
