/** Reads the fields of a request body; what cannot be meant is refused with the field's name. */
import { TwinrankError } from '../errors.js';

export type Body = Readonly<Record<string, unknown>>;

/** A field that is missing or of the wrong kind. */
export class InvalidField extends TwinrankError {
  readonly field: string;
  /** True where the field is of the right kind and holds nothing. */
  readonly isEmpty: boolean;

  constructor(field: string, what: string, isEmpty = false) {
    super('bad_request', `"${field}" ${what}`);
    this.field = field;
    this.isEmpty = isEmpty;
  }
}

/** The body as an object. Throws `bad_request`. */
export function objectBody(body: unknown): Body {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  throw new TwinrankError('bad_request', 'The body must be a JSON object.');
}

/** A text with more than white space. */
export function textField(body: Body, field: string): string {
  const value = body[field];
  if (value === undefined) throw new InvalidField(field, 'is missing; give a text.');
  if (typeof value !== 'string') throw new InvalidField(field, 'must be a text.');
  if (value.trim() === '') throw new InvalidField(field, 'must not be empty.', true);
  return value;
}

/** A switch; null counts as left out. */
export function flagField(body: Body, field: string, otherwise: boolean): boolean {
  const value = body[field] ?? otherwise;
  if (typeof value === 'boolean') return value;
  throw new InvalidField(field, 'must be true or false.');
}

/** A whole number of at least 1; undefined where it is left out or null. */
export function countField(body: Body, field: string): number | undefined {
  const value = body[field] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidField(field, 'must be a whole number of at least 1.');
}

/** One of a few words; undefined where it is left out or null. */
export function wordField<const Word extends string>(
  body: Body,
  field: string,
  words: readonly Word[],
): Word | undefined {
  const value = body[field] ?? undefined;
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new InvalidField(field, `must be one of ${words.map((word) => `"${word}"`).join(', ')}.`);
}

/** A list of 1 to `limit` entries. Throws `body_too_large` where there are more. */
export function listField(body: Body, field: string, limit: number): readonly unknown[] {
  const value = body[field];
  if (value === undefined) throw new InvalidField(field, 'is missing; give a list of texts.');
  if (!Array.isArray(value)) throw new InvalidField(field, 'must be a list of texts.');
  if (value.length === 0) throw new InvalidField(field, 'must not be empty.', true);
  if (value.length > limit) {
    throw new TwinrankError(
      'body_too_large',
      `"${field}" has ${value.length} entries; at most ${limit} are taken at once. Send them in smaller groups.`,
    );
  }
  return value as readonly unknown[];
}

/** A text, or a list of 1 to `limit` texts, none of them empty. Lists of tokens are refused as such. */
export function textsField(body: Body, field: string, limit: number): readonly string[] {
  const value = body[field];
  if (value === undefined) throw new InvalidField(field, 'is missing; give a text or a list of texts.');
  const entries = typeof value === 'string' ? [value] : listField(body, field, limit);
  return entries.map((entry, i) => {
    const name = typeof value === 'string' ? field : `${field}[${i}]`;
    if (typeof entry === 'number' || Array.isArray(entry)) {
      throw new InvalidField(
        field,
        'holds numbers: lists of tokens belong to the vocabulary of another model; send the text itself.',
      );
    }
    if (typeof entry !== 'string') throw new InvalidField(name, 'must be a text.');
    if (entry === '') throw new InvalidField(name, 'must not be empty.', true);
    return entry;
  });
}
