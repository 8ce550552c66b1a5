/** Puts the vectors of texts into one table, each text encoded once and none that is known already. */
import type { Encoder, TextKind } from '../../model/encoder.js';
import { vectorTable, type VectorTable } from './training-rows.js';
import { textKey, type KnownVectors } from './vector-file.js';

export interface Prefixes {
  readonly queryPrefix: string;
  readonly documentPrefix: string;
}

/** Numbers texts as they come, one number for all that have the same vector. */
export interface TextNumbers {
  /** The text's place in the table. */
  numberOf(text: string, kind: TextKind): number;
  readonly texts: readonly { readonly key: string; readonly text: string; readonly kind: TextKind }[];
}

export function textNumbers({ queryPrefix, documentPrefix }: Prefixes): TextNumbers {
  const numbers = new Map<string, number>();
  const texts: { key: string; text: string; kind: TextKind }[] = [];
  return {
    texts,
    numberOf: (text, kind) => {
      const key = textKey(kind === 'query' ? queryPrefix : documentPrefix, text);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, texts.length);
      texts.push({ key, text, kind });
      return texts.length - 1;
    },
  };
}

export interface EncodedTable {
  readonly table: VectorTable;
  /** What was known, and what has been encoded now. */
  readonly known: KnownVectors;
  readonly encoded: number;
}

/** Below the queue of the pool, so that it never refuses. */
const BLOCK = 1_024;

/** Rejects as the encoder does. `onText` is told how many of the texts that had to be encoded are done. */
export async function encodeTexts(
  { texts }: TextNumbers,
  encoder: Encoder,
  known: KnownVectors,
  signal: AbortSignal,
  onText: (done: number, total: number) => void,
): Promise<EncodedTable> {
  const all = new Map(known);
  const missing = texts.filter(({ key }) => !known.has(key));
  let done = 0;
  for (const kind of ['query', 'document'] as const) {
    const ofKind = missing.filter((text) => text.kind === kind);
    for (let at = 0; at < ofKind.length; at += BLOCK) {
      const block = ofKind.slice(at, at + BLOCK);
      const vectors = await encoder.encode(
        block.map(({ text }) => text),
        { kind, signal },
      );
      for (const [i, { key }] of block.entries()) all.set(key, vectors[i] as Float32Array);
      done += block.length;
      onText(done, missing.length);
    }
  }
  const table = vectorTable(texts.length, encoder.dimensions);
  for (const [i, { key }] of texts.entries())
    table.values.set(all.get(key) as Float32Array, i * encoder.dimensions);
  return { table, known: all, encoded: missing.length };
}
