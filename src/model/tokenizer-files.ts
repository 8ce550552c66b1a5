/** Reads what a bundle tokenises with: its tokeniser and, where it has one, its character map. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { IDENTITY_CHAR_MAP, parseCharMap } from './char-map.js';
import { createTokenizer, type TextTokenizer } from './tokenizer.js';

export interface TokenizerFiles {
  readonly tokenizer: string;
  readonly charMap: string | null;
}

/**
 * The tokeniser of the files; `check` may refuse the parsed tokenizer.json. Throws a plain Error that names the file
 * and says what is wrong with it.
 */
export async function loadTokenizer(
  { tokenizer, charMap: mapFile }: TokenizerFiles,
  maxTokens: number,
  check: (json: unknown) => void = () => undefined,
): Promise<TextTokenizer> {
  const charMap = await loadPart('the character map', mapFile ?? '', async () =>
    mapFile === null ? IDENTITY_CHAR_MAP : parseCharMap(await readJson(mapFile)),
  );
  return loadPart('the tokenizer', tokenizer, async () => {
    const json = await readJson(tokenizer);
    const created = createTokenizer(json, { maxTokens, charMap });
    check(json);
    return created;
  });
}

/** Reads a part of a model; throws a plain Error that names it and its file. */
export async function loadPart<Part>(what: string, path: string, read: () => Promise<Part>): Promise<Part> {
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${what} (${basename(path)}) cannot be used: ${reason}`, { cause: error });
  }
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
