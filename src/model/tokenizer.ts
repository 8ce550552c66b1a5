/**
 * Text to token ids, equal to the reference tokeniser of the bundle (Hugging Face's file form: a SentencePiece
 * Unigram model, BERT's WordPiece or RoBERTa's byte-level BPE), in time that depends on the model's length limit
 * and not on the length of the text. For the latter two see whole-text-tokenizer.ts.
 *
 * How long texts of a Unigram model stay cheap without changing an id:
 * - Pieces never reach over the start of a word (a word starts at a space, which Metaspace writes as U+2581),
 *   so words are tokenised one by one and we stop when the limit is reached.
 * - Inside a word without end (Chinese knows no spaces) the best segmentation factors at every *seam*: a
 *   position that no piece of the vocabulary covers. What stands before a seam does not depend on what follows.
 * - Characters in no piece at all become one unknown token per run, so a run is shortened to one character.
 */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { CharMap } from './char-map.js';
import { IDENTITY_CHAR_MAP } from './char-map.js';
import { firstIds, lastEndOfLetters, lastSpace } from './whole-text-tokenizer.js';

/** Ids of one text, with the beginning and end tokens, at most `maxTokens` of them. */
export interface TextTokenizer {
  encode(text: string): number[];
}

export interface TokenizerOptions {
  /** Limit of ids, the beginning and end tokens included; the end token is kept when a text is cut. */
  readonly maxTokens: number;
  readonly charMap?: CharMap;
}

const WORD_START = '\u2581';
/** First try for a long text, in UTF-16 units; enough for 256 tokens of nearly every text. */
const FIRST_TRY = 4096;
const GROWTH = 4;
/** Longer words are looked at piecewise, in UTF-16 units. */
const LONG_WORD = 1024;
/** How far a seam is looked for; ordinary text has one every few characters. */
const SEAM_SEARCH = 256;
/** A word without seams ("aaaa...") must be segmented as a whole, in about 1 ms per 1,000 units; cut here. */
const SEAMLESS_LIMIT = 131_072;
/** Units of a text that are looked at when nothing yields tokens, a megabyte of spaces for instance. */
const TEXT_LIMIT = 1_048_576;

/**
 * A tokeniser from a parsed tokenizer.json. Throws a plain Error that says what is wrong with the file: Unigram
 * models with Metaspace, WordPiece models that split at spaces and BPE models of bytes fit, each with a
 * TemplateProcessing of one start and one end token and without a normaliser.
 */
export function createTokenizer(json: unknown, options: TokenizerOptions): TextTokenizer {
  const file = (json ?? {}) as TokenizerFile;
  if (file.normalizer !== null && file.normalizer !== undefined) {
    throw new Error('"normalizer" must be null; give the character map in the char_map file.');
  }
  const create = kindOf(file);
  const reference = new HuggingFaceTokenizer(json as object, {});
  const [start, end, ...rest] = reference.encode('', { add_special_tokens: true }).ids;
  if (start === undefined || end === undefined || rest.length > 0) {
    throw new Error('the post-processor must put one token before and one after the text.');
  }
  return create(reference, { start, end }, options);
}

type Part = Readonly<Record<string, unknown>>;
type TokenizerFile = Readonly<Record<string, Part | null | undefined>>;
type Create = (reference: HuggingFaceTokenizer, ends: Ends, options: TokenizerOptions) => TextTokenizer;

interface Ends {
  readonly start: number;
  readonly end: number;
}

function kindOf(file: TokenizerFile): Create {
  const { model, pre_tokenizer: splitter } = file;
  switch (model?.['type']) {
    case 'WordPiece':
      if (splitter?.['type'] !== 'WhitespaceSplit') {
        throw new Error('"pre_tokenizer" must be WhitespaceSplit for WordPiece.');
      }
      return byWholeText(lastSpace);
    case 'BPE':
      if (splitter?.['type'] !== 'ByteLevel') throw new Error('"pre_tokenizer" must be ByteLevel for BPE.');
      return byWholeText(lastEndOfLetters);
    default: {
      const vocabulary = readVocabulary(file);
      return (reference, ends, options) => new WordwiseTokenizer(reference, ends, vocabulary, options);
    }
  }
}

function readVocabulary({ model, pre_tokenizer: splitter, added_tokens: added }: TokenizerFile): Vocabulary {
  if (model?.['type'] !== 'Unigram' || !Array.isArray(model['vocab'])) {
    throw new Error('"model" must be of type Unigram with a "vocab" list, WordPiece or BPE.');
  }
  const isMetaspace = splitter?.['type'] === 'Metaspace' && splitter['prepend_scheme'] === 'always';
  if (!isMetaspace) throw new Error('"pre_tokenizer" must be Metaspace with prepend_scheme "always".');
  const pieces = model['vocab'].map((entry: unknown) => String((entry as unknown[])[0]));
  const across = pieces.find((piece) => piece.lastIndexOf(WORD_START) > 0);
  if (across !== undefined) throw new Error(`the piece "${across}" reaches over the start of a word.`);
  return new Vocabulary(pieces, readAddedTokens(added));
}

function readAddedTokens(list: unknown): string[] {
  if (!Array.isArray(list)) throw new Error('"added_tokens" must be a list.');
  return list.map((token: Record<string, unknown>) => {
    const content = String(token['content']);
    if (token['lstrip'] === true || token['rstrip'] === true || /[\s\u2581]/.test(content)) {
      throw new Error(`the added token "${content}" must not strip or contain spaces.`);
    }
    return content;
  });
}

/** What a text can be cut by: which characters and which pieces there are. */
class Vocabulary {
  readonly #pieces: ReadonlySet<string>;
  readonly #characters: ReadonlySet<string>;
  /** Longest piece, in UTF-16 units. */
  readonly longest: number;

  constructor(pieces: readonly string[], addedTokens: readonly string[]) {
    const all = [...pieces, ...addedTokens];
    this.#pieces = new Set(all);
    this.#characters = new Set(all.flatMap((piece) => Array.from(piece)).concat(' '));
    this.longest = all.reduce((longest, piece) => Math.max(longest, piece.length), 1);
  }

  /** The text with each run of characters that occur in no piece shortened to its first one. */
  withoutUnknownRuns(text: string): string {
    let kept = '';
    let afterUnknown = false;
    for (const character of text) {
      const known = this.#characters.has(character);
      if (known || !afterUnknown) kept += character;
      afterUnknown = !known;
    }
    return kept;
  }

  /**
   * The last position shortly before `below` that no piece covers, or 0. The first units of the word do not
   * count: pieces that begin with the word start, which is not written in the text, may cover them.
   */
  lastSeam(word: string, below: number): number {
    const lowest = Math.max(this.longest, below - SEAM_SEARCH);
    for (let position = below - 1; position > lowest; position--) {
      if (!isInsidePair(word, position) && !this.#isCovered(word, position)) return position;
    }
    return 0;
  }

  #isCovered(word: string, position: number): boolean {
    // Short pieces first: where a position is covered, one of two or three characters nearly always does it.
    for (let from = position - 1; from > position - this.longest; from--) {
      const to = Math.min(word.length, from + this.longest);
      for (let until = position + 1; until <= to; until++) {
        if (this.#pieces.has(word.slice(from, until))) return true;
      }
    }
    return false;
  }
}

/** Tokenises by what the model itself takes for words, of which `lastEnd` says where one must end. */
function byWholeText(lastEnd: (text: string) => number): Create {
  return (reference, { start, end }, { maxTokens, charMap = IDENTITY_CHAR_MAP }) => {
    const idsOf = (text: string) => reference.encode(text, { add_special_tokens: false }).ids;
    return {
      encode(given) {
        const text = given.length > TEXT_LIMIT ? upTo(given, TEXT_LIMIT) : given;
        return [start, ...firstIds({ idsOf, lastEnd }, text, maxTokens - 2, charMap), end];
      },
    };
  };
}

class WordwiseTokenizer implements TextTokenizer {
  readonly #reference: HuggingFaceTokenizer;
  readonly #ends: Ends;
  readonly #vocabulary: Vocabulary;
  readonly #limit: number;
  readonly #charMap: CharMap;

  constructor(
    reference: HuggingFaceTokenizer,
    ends: Ends,
    vocabulary: Vocabulary,
    options: TokenizerOptions,
  ) {
    this.#reference = reference;
    this.#ends = ends;
    this.#vocabulary = vocabulary;
    this.#limit = options.maxTokens - 2;
    this.#charMap = options.charMap ?? IDENTITY_CHAR_MAP;
  }

  encode(given: string): number[] {
    const text = given.length > TEXT_LIMIT ? upTo(given, TEXT_LIMIT) : given;
    for (let units = FIRST_TRY; ; units *= GROWTH) {
      const isWhole = units >= text.length;
      const head = isWhole ? text : upTo(text, units);
      const ids = this.#idsOfWords(this.#vocabulary.withoutUnknownRuns(this.#charMap(head)), isWhole);
      if (!isWhole && ids.length < this.#limit) continue;
      return [this.#ends.start, ...ids.slice(0, this.#limit), this.#ends.end];
    }
  }

  /** Ids of the words of a text, up to the limit; of a text that goes on only what can no longer change. */
  #idsOfWords(text: string, isWhole: boolean): number[] {
    const ids: number[] = [];
    let from = 0;
    while (from < text.length && ids.length < this.#limit) {
      const until = nextWordStart(text, from + 1);
      const word = text.slice(from, until);
      const isComplete = isWhole || until < text.length;
      for (const id of this.#idsOfWord(word, isComplete, this.#limit - ids.length)) ids.push(id);
      from = until;
    }
    return ids;
  }

  #idsOfWord(word: string, isComplete: boolean, needed: number): number[] {
    // What follows a cut word is not known, so pieces may reach over its last units.
    const settled = isComplete ? word.length : word.length - this.#vocabulary.longest;
    for (let units = LONG_WORD; units < settled; units *= GROWTH) {
      const seam = this.#vocabulary.lastSeam(word, units);
      const ids = seam === 0 ? [] : this.#plainIds(word.slice(0, seam));
      if (ids.length >= needed) return ids;
    }
    if (isComplete) return this.#plainIds(upTo(word, SEAMLESS_LIMIT));
    return this.#plainIds(word.slice(0, this.#vocabulary.lastSeam(word, settled)));
  }

  #plainIds(text: string): number[] {
    return text === '' ? [] : this.#reference.encode(text, { add_special_tokens: false }).ids;
  }
}

function nextWordStart(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === ' ' || text[i] === WORD_START) return i;
  }
  return text.length;
}

function upTo(text: string, units: number): string {
  return text.slice(0, isInsidePair(text, units) ? units - 1 : units);
}

function isInsidePair(text: string, position: number): boolean {
  const before = text.charCodeAt(position - 1);
  const after = text.charCodeAt(position);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}
