/** Seeded random JSON texts with everything that a byte-exact scanner can stumble over. */
import { createRandom } from '../../../src/evaluate/random.js';

export interface RandomJson {
  /** Whole number from 0 to n - 1. */
  below(n: number): number;
  pick<T>(list: readonly T[]): T;
  whitespace(): string;
  /** A string literal, quotes included. */
  string(): string;
  value(depth: number): string;
  /** An object literal without the given key; may repeat other keys. */
  object(depth: number, withoutKey?: string): string;
}

const NUMBERS = ['0', '-0.0', '1.0', '9007199254740993', '1E400', '-1e-7', '123456789.000', '5E+3', '-12'];
const PIECES = [
  'a',
  'B',
  ' ',
  'é',
  '中文',
  '😀',
  '\u2028',
  '\\"',
  '\\\\',
  '\\u00e9',
  '\\ud83d\\ude00',
  '\\/',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  "'",
];
const SPACES = ['', '', '', ' ', '\n', '\r\n  ', '\t', '  \n\t '];

/** Generator of JSON texts for one seed. */
export function randomJson(seed: number): RandomJson {
  const random = createRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const whitespace = (): string => pick(SPACES);
  const string = (): string => {
    // Lengths around the border between the loop and the native search, and runs of backslashes there.
    const pieces = Array.from({ length: pick([0, 1, 3, 10, 22, 23, 24, 25, 26, 60]) }, () => pick(PIECES));
    const run = '\\\\'.repeat(pick([0, 0, 0, 1, 2, 11, 12, 13]));
    return `"${pieces.join('')}${run}${pick(['', '', '\\"'])}"`;
  };
  const list = (count: number, item: () => string): string =>
    Array.from({ length: count }, () => `${whitespace()}${item()}${whitespace()}`).join(',') || whitespace();
  const value = (depth: number): string => {
    const kind = below(depth > 0 ? 8 : 5);
    if (kind < 2) return string();
    if (kind === 2) return pick(NUMBERS);
    if (kind < 5) return pick(['true', 'false', 'null', '""', '{}', '[ ]']);
    return kind < 7 ? object(depth - 1) : `[${list(below(5), () => value(depth - 1))}]`;
  };
  const object = (depth: number, withoutKey?: string): string => {
    const key = (): string => {
      for (;;) {
        const text = pick(['"a"', '"a"', '"hits"', '"_source"', string()]);
        if (withoutKey === undefined || JSON.parse(text) !== withoutKey) return text;
      }
    };
    return `{${list(below(6), () => `${key()}${whitespace()}:${whitespace()}${value(depth)}`)}}`;
  };
  return { below, pick, whitespace, string, value, object };
}
