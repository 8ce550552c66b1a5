/**
 * Vectors as JSON arrays of numbers, as the engines' own vector fields take and give them. What is written reads
 * back as the same single floats, bit by bit, whether the reader goes through doubles or not.
 */
import type { Range } from './json-scan.js';

/** JSON array of the values, each in the fewest digits that tell it from all other single floats. */
export function floatsText(vector: Float32Array): string {
  const texts: string[] = [];
  for (const value of vector) texts.push(floatText(value));
  return `[${texts.join(',')}]`;
}

/** Digits that suffice for every single float, and those that suffice for most. */
const MOST_DIGITS = 9;
const USUAL_DIGITS = 8;

function floatText(value: number): string {
  // String() drops the sign.
  if (Object.is(value, -0)) return '-0.0';
  let shortest = value;
  let digits = USUAL_DIGITS;
  let rounded = Number(value.toPrecision(digits));
  if (Math.fround(rounded) !== value) return String(Number(value.toPrecision(MOST_DIGITS)));
  while (Math.fround(rounded) === value) {
    shortest = rounded;
    if (--digits === 0) break;
    rounded = Number(value.toPrecision(digits));
  }
  return String(shortest);
}

/**
 * Fills `into` with the numbers of the JSON array in the range and returns their sum; `malformed` where it is not
 * an array of that many numbers.
 */
export function readFloatsText(bytes: Buffer, range: Range, into: Float32Array): number | 'malformed' {
  let values: unknown;
  try {
    values = JSON.parse(bytes.toString('latin1', range.start, range.end));
  } catch {
    return 'malformed';
  }
  if (!Array.isArray(values) || values.length !== into.length) return 'malformed';
  let sum = 0;
  for (let i = 0; i < into.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'number') return 'malformed';
    into[i] = value;
    sum += value;
  }
  return sum;
}
