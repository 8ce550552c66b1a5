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
 * code points. Optional: `compose`, which puts the text into form NFC first, and `trim`, which takes spaces off
 * both ends last. Throws a plain Error that says what is wrong.
 */
export function parseCharMap(json: unknown): CharMap {
  const { map, collapse_spaces: collapse, compose = false, trim = false } = (json ?? {}) as Json;
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
  return (text) => {
    const mapped = replaceAll(compose === true ? text.normalize('NFC') : text, replacements);
    const spaced = collapse ? mapped.replaceAll(/ {2,}/g, ' ') : mapped;
    return trim === true ? spaced.trim() : spaced;
  };
}

/** Copies what has no replacement in stretches: most of most texts. */
function replaceAll(text: string, replacements: ReadonlyMap<number, string>): string {
  let mapped = '';
  let copied = 0;
  for (let i = 0; i < text.length;) {
    const point = text.codePointAt(i) as number;
    const next = i + (point > 0xffff ? 2 : 1);
    const replacement = replacements.get(point);
    if (replacement !== undefined) {
      mapped += text.slice(copied, i) + replacement;
      copied = next;
    }
    i = next;
  }
  return copied === 0 ? text : mapped + text.slice(copied);
}
