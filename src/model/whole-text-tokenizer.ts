/**
 * Tokenising by a model that splits the text into words itself (WordPiece at spaces, byte-level BPE at the ends of
 * letters), in time that depends on the limit of tokens and not on the length of the text: a long text is looked
 * at up to a place where a word must end, and further only while that gives too few tokens.
 */
import type { CharMap } from './char-map.js';

export interface WholeTextModel {
  /** Ids of a text without the beginning and end tokens. */
  idsOf(text: string): number[];
  /** The last place in a text at which a word ends whatever follows, or 0. */
  lastEnd(text: string): number;
}

/** First try, in UTF-16 units; enough for 512 tokens of nearly every text. */
const FIRST_TRY = 4096;
const GROWTH = 4;
/** Units of a rewritten text that are tokenised when words do not end ("aaaa..."). */
const ENDLESS_LIMIT = 65_536;

/** The first `limit` ids of a text, or all that it has. */
export function firstIds(model: WholeTextModel, text: string, limit: number, charMap: CharMap): number[] {
  for (let units = FIRST_TRY; ; units *= GROWTH) {
    const isWhole = units >= text.length;
    const mapped = charMap(isWhole ? text : text.slice(0, units));
    const settled = isWhole ? mapped : mapped.slice(0, model.lastEnd(mapped));
    const ids = settled === '' ? [] : model.idsOf(settled.slice(0, ENDLESS_LIMIT));
    if (isWhole || ids.length >= limit) return ids.slice(0, limit);
  }
}

/** Words end before a space. */
export function lastSpace(text: string): number {
  for (let i = text.length - 1; i > 0; i--) if (/\s/.test(text[i] as string)) return i;
  return 0;
}

/** Byte-level BPE takes letters together as far as they go, so a word ends where they do. */
export function lastEndOfLetters(text: string): number {
  const ends = /\p{L}(?=[\p{P}\p{Z}\p{N}\p{S}])/gu;
  let last = 0;
  for (const found of text.matchAll(ends)) last = found.index + found[0].length;
  return last;
}
