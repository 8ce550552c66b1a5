/**
 * Vectors as JSON arrays of numbers, as the engines' own vector fields take and give them. What is written reads
 * back as the same single floats, bit by bit. A document has hundreds of them, so the common ones take a short way.
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
  const rounded = rounderOf(value);
  let shortest = rounded(USUAL_DIGITS);
  if (Math.fround(shortest) !== value) return String(rounded(MOST_DIGITS));
  for (let digits = USUAL_DIGITS - 1; digits > 0; digits--) {
    const shorter = rounded(digits);
    if (Math.fround(shorter) !== value) break;
    shortest = shorter;
  }
  return String(shortest);
}

/** The double nearest to the value in so many significant digits. */
function rounderOf(value: number): (digits: number) => number {
  const magnitude = Math.abs(value);
  if (magnitude < SMALL || magnitude >= 1) return (digits) => Number(value.toPrecision(digits));
  let zeros = 0;
  while (magnitude * (POWERS[zeros + 1] as number) < 1) zeros++;
  // A whole number divided by a power of ten, both exact, is rounded as the decimal would be when read.
  return (digits) => {
    const power = POWERS[zeros + digits] as number;
    return Math.round(value * power) / power;
  };
}

/** Powers of ten that doubles hold exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Smaller values, with their leading zeros, would need greater powers. */
const SMALL = 1e-9;

/**
 * Fills `into` with the numbers of the JSON array in the range and returns their sum; `malformed` where it is not
 * an array of that many numbers.
 */
export function readFloatsText(bytes: Buffer, range: Range, into: Float32Array): number | 'malformed' {
  return readPlain(bytes, range, into) ?? readAny(bytes, range, into);
}

const MINUS = 0x2d;
const POINT = 0x2e;
const COMMA = 0x2c;
const SPACE = 0x20;
const ZERO = 0x30;
/** Digits whose whole number a double holds exactly. */
const EXACT_DIGITS = 15;

/** As engines print most vectors: decimals without exponent, of few digits. Undefined where it is something else. */
function readPlain(bytes: Buffer, { start, end }: Range, into: Float32Array): number | undefined {
  let sum = 0;
  let at = start + 1;
  for (let i = 0; i < into.length; i++) {
    while (bytes[at] === SPACE) at++;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let whole = 0;
    let point = -1;
    for (; ; at++) {
      const byte = bytes[at] as number;
      if (byte >= ZERO && byte <= ZERO + 9) whole = whole * 10 + (byte - ZERO);
      else if (byte === POINT && point === -1) point = at;
      else break;
    }
    const digits = at - first - (point === -1 ? 0 : 1);
    if (digits === 0 || digits > EXACT_DIGITS) return undefined;
    const value = point === -1 ? whole : whole / (POWERS[at - point - 1] as number);
    into[i] = negative ? -value : value;
    sum += negative ? -value : value;
    if (i < into.length - 1 && bytes[at++] !== COMMA) return undefined;
  }
  return at === end - 1 ? sum : undefined;
}

function readAny(bytes: Buffer, range: Range, into: Float32Array): number | 'malformed' {
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
