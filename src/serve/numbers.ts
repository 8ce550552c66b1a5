/** Numbers as they stand in answers. */
import { setImmediate } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';

/**
 * The shortest text that reads back as the same number, always with a decimal point: clients that take the
 * number's kind from its looks (the post-processing of OpenSearch's connectors is one) would see an integer
 * in 1 or 0.
 */
export function decimal(value: number): string {
  const text = String(value);
  if (!Number.isFinite(value)) throw new TwinrankError('internal', `A score is ${text}. This is a bug.`);
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
