/** Fields that requests for vectors have in common. */
import type { TextKind } from '../model/encoder.js';
import { InvalidField, wordField, type Body } from './fields.js';

const KINDS = {
  query: 'query',
  search_query: 'query',
  document: 'document',
  search_document: 'document',
  passage: 'document',
} as const satisfies Record<string, TextKind>;

const WORDS = Object.keys(KINDS) as (keyof typeof KINDS)[];

/** Whether the texts are queries or documents: from `input_type` or `prompt_name`; documents where neither is given. Throws InvalidField. */
export function textKindOf(body: Body): TextKind {
  const given = ['input_type', 'prompt_name'].flatMap((field) => {
    const word = wordField(body, field, WORDS);
    return word === undefined ? [] : [KINDS[word]];
  });
  if (new Set(given).size > 1)
    throw new InvalidField('prompt_name', 'says something else than "input_type"; give one of them.');
  return given[0] ?? 'document';
}

/** Shortening keeps a vector's meaning only where the model was trained for it. Throws InvalidField. */
export function requireDimensions(body: Body, dimensions: number): void {
  const value = body['dimensions'] ?? undefined;
  if (value === undefined || value === dimensions) return;
  throw new InvalidField(
    'dimensions',
    `must be ${dimensions} or left out: this model's vectors cannot be shortened.`,
  );
}
