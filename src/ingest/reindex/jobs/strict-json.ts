/**
 * Strict reading of stored JSON: every key is known, every value has its form, and what is wrong is named by its
 * path. For documents that people can edit and newer programs can write.
 */
import { isRecord } from '../../../search-engine/json-value.js';

/** What is wrong, and where. */
export class ShapeError extends Error {
  constructor(
    readonly path: string,
    readonly expected: string,
  ) {
    super(`"${path}" must be ${expected}`);
    this.name = 'ShapeError';
  }
}

/** Gives the value in its type or throws a {@link ShapeError}. */
export type Shape<T> = (value: unknown, path: string) => T;

/** A text that is not empty. */
export const text: Shape<string> = (value, path) =>
  typeof value === 'string' && value !== '' ? value : wrong(path, 'a text');

export const truth: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrong(path, 'true or false');

/** A whole number of at least `min`. */
export function whole(min: number): Shape<number> {
  return (value, path) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min
      ? value
      : wrong(path, `a whole number from ${min}`);
}

export function oneOf<const Word extends string | number>(...words: readonly Word[]): Shape<Word> {
  return (value, path) =>
    words.find((word) => word === value) ??
    wrong(path, words.map((word) => JSON.stringify(word)).join(' or '));
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, path) =>
    Array.isArray(value)
      ? value.map((one: unknown, i) => shape(one, `${path}[${i}]`))
      : wrong(path, 'a list');
}

/** An object with exactly these keys. */
export function record<T>(shapes: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  return (value, path) => {
    if (!isRecord(value)) return wrong(path === '' ? 'body' : path, 'an object');
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    const stranger = Object.keys(value).find((key) => !Object.hasOwn(shapes, key));
    if (stranger !== undefined) return wrong(at(stranger), 'left out: no such key is known here');
    const result: Partial<T> = {};
    for (const key of Object.keys(shapes) as (keyof T & string)[])
      result[key] = shapes[key](value[key], at(key));
    return result as T;
  };
}

function wrong(path: string, expected: string): never {
  throw new ShapeError(path, expected);
}
