/**
 * The character normalisation that a bundle may bring: each character is replaced by the text that the map
 * gives for it (full-width to ASCII, control characters to nothing, ...), then runs of U+0020 become one.
 * It stands in for SentencePiece's precompiled character map, which works on the same principle, and for BERT's
 * normaliser and its splitting at punctuation: there the map puts spaces around what is a word by itself.
 */

type Json = Readonly<Record<string, unknown>>;

/** Rewrites a text; pure. */
export type CharMap = (text: string) => string;

/** No normalisation, for bundles without a map. */
export const IDENTITY_CHAR_MAP: CharMap = (text) => text;

/**
 * A map from the parsed char-map.json: `{"map": {"65281": "!"}, "collapse_spaces": true}`, keys are decimal
 * code points. Optional: `ranges`, `[[57344, 63743, ""]]` for code points that stand together and become the same;
 * `compose`, which puts the text into form NFC first, and `trim`, which takes spaces off
 * both ends last. Throws a plain Error that says what is wrong.
 */
export function parseCharMap(json: unknown): CharMap {
  const { map, ranges = [], collapse_spaces: collapse, compose = false, trim = false } = (json ?? {}) as Json;
  if (typeof map !== 'object' || map === null) throw new Error('"map" must be an object.');
  if (typeof collapse !== 'boolean') throw new Error('"collapse_spaces" must be true or false.');
  for (const [key, value] of Object.entries({ compose, trim })) {
    if (typeof value !== 'boolean') throw new Error(`"${key}" must be true or false.`);
  }
  const replacements = new Map<number, string>();
  for (const [key, replacement] of Object.entries(map)) {
    const point = /^\d+$/.test(key) ? Number(key) : Number.NaN;
    if (!(point <= 0x10ffff)) throw new Error(`"${key}" is no decimal code point.`);
    if (typeof replacement !== 'string') throw new Error(`the replacement of ${key} must be a text.`);
    replacements.set(point, replacement);
  }
  const replacement = lookup(replacements, parseRanges(ranges));
  return (text) => {
    const mapped = replaceAll(compose === true ? text.normalize('NFC') : text, replacement);
    const spaced = collapse ? mapped.replaceAll(/ {2,}/g, ' ') : mapped;
    return trim === true ? spaced.trim() : spaced;
  };
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

function parseRanges(json: unknown): Range[] {
  const wrong = new Error('"ranges" must be a list of [first, last, text] in ascending order.');
  if (!Array.isArray(json)) throw wrong;
  let next = 0;
  return json.map((entry: unknown) => {
    const [first, last, text] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const areWhole = Number.isSafeInteger(first) && Number.isSafeInteger(last) && typeof text === 'string';
    const range = { first: first as number, last: last as number, text: text as string };
    if (!areWhole || range.first < next || range.last < range.first || range.last > 0x10ffff) throw wrong;
    next = range.last + 1;
    return range;
  });
}

type Lookup = (point: number) => string | undefined;

function lookup(single: ReadonlyMap<number, string>, ranges: readonly Range[]): Lookup {
  const lowest = ranges[0]?.first ?? Number.POSITIVE_INFINITY;
  return (point) => {
    const found = single.get(point);
    if (found !== undefined || point < lowest) return found;
    let from = 0;
    let to = ranges.length;
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if ((ranges[middle] as Range).first <= point) from = middle;
      else to = middle;
    }
    const range = ranges[from] as Range;
    return point <= range.last ? range.text : undefined;
  };
}

/** Copies what has no replacement in stretches: most of most texts. */
function replaceAll(text: string, replacementOf: Lookup): string {
  let mapped = '';
  let copied = 0;
  for (let i = 0; i < text.length;) {
    const point = text.codePointAt(i) as number;
    const next = i + (point > 0xffff ? 2 : 1);
    const replacement = replacementOf(point);
    if (replacement !== undefined) {
      mapped += text.slice(copied, i) + replacement;
      copied = next;
    }
    i = next;
  }
  return copied === 0 ? text : mapped + text.slice(copied);
}
