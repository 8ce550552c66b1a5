/** Numbers as they stand in answers. */
import { setImmediate } from 'node:timers/promises';
import { bug, TwinrankError } from '../errors.js';

/** The longest number that json-smart reads as a double; see {@link decimal}. */
const LONGEST_DECIMAL = 18;

/**
 * A number as OpenSearch's connectors can read it: always with a decimal point, and in at most 18 characters. Their
 * post-processing casts what json-smart made of it to a double, and json-smart (2.5.0 and 2.5.2, tried) makes an
 * integer of 1 and a BigDecimal of anything longer. What does not fit loses its last digits: a probability changes
 * by 1e-16 at most.
 */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) throw bug(`A score is ${value}.`);
  let text = withPoint(value);
  for (let digits = 16; text.length > LONGEST_DECIMAL && digits > 0; digits--)
    text = withPoint(Number(value.toPrecision(digits)));
  return text;
}

function withPoint(value: number): string {
  const text = String(value);
  const exponent = text.indexOf('e');
  if (text.includes('.')) return text;
  return exponent < 0 ? `${text}.0` : `${text.slice(0, exponent)}.0${text.slice(exponent)}`;
}

/** A vector as a JSON list; nine digits tell any two 32-bit floats apart. */
export function vectorJson(vector: Float32Array): string {
  return `[${Array.from(vector, numberText).join(',')}]`;
}

/** A vector as base64 of its little-endian 32-bit floats. */
export function vectorBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

/** What `text` makes of each vector, with breaks in which others get their turn: thousands take a second. */
export async function textOfEach(
  vectors: readonly Float32Array[],
  text: (vector: Float32Array, index: number) => string,
): Promise<string[]> {
  const texts: string[] = [];
  for (const [index, vector] of vectors.entries()) {
    if (index > 0 && index % 64 === 0) await setImmediate();
    texts.push(text(vector, index));
  }
  return texts;
}

function numberText(value: number): string {
  if (!Number.isFinite(value))
    throw new TwinrankError('encode_failed', 'The model gave a vector with a value that is no number.');
  return String(Number(value.toPrecision(9)));
}
