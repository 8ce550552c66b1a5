/**
 * Weights as whole numbers, one scale a column: from 32-bit floats, or from the 4-bit blocks of MatMulNBits. Pure.
 */

/**
 * Largest code of a weight. Where a processor has no VNNI, products of activations and weights are added in pairs
 * with 16 bits, so 2 x 204 x 80 must be at most 32,767: then every processor computes the same. Within that bound
 * weights get the finer steps, since smoothed activations need fewer (see int8-graph.ts).
 */
export const LARGEST_CODE = 80;
/** Largest code of an activation; they begin at 0. */
export const LARGEST_ACTIVATION = 204;

export interface FloatMatrix {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly values: Float32Array;
}

export interface Int8Matrix {
  /** [inputs, outputs] */
  readonly codes: Int8Array;
  /** What code 1 stands for, by output. */
  readonly scales: Float32Array;
}

/**
 * Of MatMulNBits' 4-bit codes [outputs, inputs / block, block / 2], the even one in the low half of each byte, 8
 * standing for nought, and scales [outputs, inputs / block].
 */
export function matrixOfBlocks(
  packed: Uint8Array,
  blockScales: Float32Array,
  { inputs, outputs, block }: { readonly inputs: number; readonly outputs: number; readonly block: number },
): FloatMatrix {
  const blocks = inputs / block;
  const values = new Float32Array(inputs * outputs);
  for (let column = 0; column < outputs; column++) {
    for (let i = 0; i < inputs; i++) {
      const byte = packed[(column * inputs + i) >> 1] as number;
      const code = (i & 1) === 0 ? byte & 15 : byte >> 4;
      const scale = blockScales[column * blocks + Math.floor(i / block)] as number;
      values[i * outputs + column] = (code - 8) * scale;
    }
  }
  return { inputs, outputs, values };
}

/** Rounds the matrix, each row multiplied by its factor first. Throws a plain Error where a weight is not finite. */
export function roundMatrix(
  { inputs, outputs, values }: FloatMatrix,
  factors: Float32Array | null,
): Int8Matrix {
  const largest = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    const factor = factors?.[i] ?? 1;
    for (let k = 0; k < outputs; k++)
      largest[k] = Math.max(largest[k] as number, Math.abs((values[i * outputs + k] as number) * factor));
  }
  if (!largest.every(Number.isFinite)) throw new Error('its weights are not all finite.');
  // A column of noughts may have any scale but nought.
  const scales = Float32Array.from(largest, (value) => (value === 0 ? 1 : value / LARGEST_CODE));
  const codes = new Int8Array(inputs * outputs);
  for (let i = 0; i < inputs; i++) {
    const factor = factors?.[i] ?? 1;
    for (let k = 0; k < outputs; k++) {
      const at = i * outputs + k;
      codes[at] = Math.round(((values[at] as number) * factor) / (scales[k] as number));
    }
  }
  return { codes, scales };
}
