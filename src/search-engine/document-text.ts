/**
 * The text of a document that is encoded, read from the source's own bytes.
 *
 * The rule, per field: a string counts as it is; a number or boolean by its JSON text; an array by its elements;
 * null, a missing field and an object count as nothing. All parts that hold more than whitespace are joined by one
 * space, fields in the order of the settings. No part at all means that the document has no text and gets no vector.
 */
import {
  isArray,
  isObject,
  isString,
  memberNamed,
  scanArray,
  scanObject,
  skipValue,
  skipWhitespace,
  stringAt,
  type Member,
  type Range,
} from './json-scan.js';

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Longest text that is looked at, in UTF-16 units: far beyond any model's window, it only bounds the work. */
const MAX_TEXT = 200_000;

/** Text of the document whose object starts at `at`, or undefined where it has none. Throws JsonScanError on bad JSON. */
export function documentText(bytes: Buffer, at: number, fields: readonly string[]): string | undefined {
  return textOfMembers(bytes, scanObject(bytes, at).members, fields);
}

/** As {@link documentText}, of a document that has been scanned already. */
export function textOfMembers(
  bytes: Buffer,
  members: readonly Member[],
  fields: readonly string[],
): string | undefined {
  const [only] = fields;
  const direct = fields.length === 1 && only !== undefined ? memberNamed(bytes, members, only) : undefined;
  if (direct !== undefined && isString(bytes, direct)) {
    // One field with a plain text, as most are: the rule below in fewer steps, for each hit of each search.
    const text = stringAt(bytes, direct.start, direct.end);
    return text.trim() === '' ? undefined : text.slice(0, MAX_TEXT);
  }
  const parts: string[] = [];
  for (const field of fields)
    for (const range of valuesAt(bytes, members, field)) collect(bytes, range, parts);
  return parts.length === 0 ? undefined : parts.join(' ').slice(0, MAX_TEXT);
}

/**
 * Ranges of a field's values: the member with the full dotted name, or the path through objects and arrays of
 * objects, as the engines read both forms.
 */
function valuesAt(bytes: Buffer, members: readonly Member[], path: string): Range[] {
  const direct = memberNamed(bytes, members, path);
  if (direct !== undefined) return [direct];
  const found: Range[] = [];
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const parent = memberNamed(bytes, members, path.slice(0, dot));
    if (parent === undefined) continue;
    const rest = path.slice(dot + 1);
    const objects = isArray(bytes, parent) ? scanArray(bytes, parent.start).elements : [parent];
    for (const object of objects)
      if (isObject(bytes, object))
        for (const range of valuesAt(bytes, scanObject(bytes, object.start).members, rest)) found.push(range);
  }
  return found;
}

/** Walks through nested arrays in one pass: a list of 100,000 brackets must cost neither the stack nor its square in time. */
function collect(bytes: Buffer, range: Range, parts: string[]): void {
  let depth = 0;
  let i = range.start;
  do {
    i = skipWhitespace(bytes, i);
    const c = bytes[i];
    if (c === OPEN_BRACKET) depth++;
    else if (c === CLOSE_BRACKET) depth--;
    else if (c !== COMMA) {
      const end = skipValue(bytes, i);
      collectScalar(bytes, { start: i, end }, parts);
      i = end;
      continue;
    }
    i++;
  } while (depth > 0);
}

function collectScalar(bytes: Buffer, range: Range, parts: string[]): void {
  if (isObject(bytes, range)) return;
  const text = isString(bytes, range)
    ? stringAt(bytes, range.start, range.end)
    : bytes.toString('latin1', range.start, range.end);
  if (text.trim() !== '' && (text !== 'null' || isString(bytes, range))) parts.push(text);
}
