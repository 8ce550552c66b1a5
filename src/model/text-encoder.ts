/**
 * One loaded model on one thread: prefix, tokenise, pad, run, normalise. Blocks its thread while it computes,
 * so it belongs in a worker.
 */
import { createSession } from './ort-session.js';
import { requirePadToken } from './pad-token.js';
import { loadPart, loadTokenizer } from './tokenizer-files.js';
import { normalizeRows } from './unit-length.js';
import type { BatchText, EncodedTexts, KindedText, TextIds, WorkerSetup } from './worker-protocol.js';

export interface TextEncoder {
  encode(texts: readonly BatchText[]): Promise<EncodedTexts>;
  /** Ids of each text as `encode` would use them; null where the tokeniser fails. */
  tokenize(texts: readonly KindedText[]): TextIds[];
}

/** Loads tokeniser and weights (about 0.5 s); throws a plain Error that names what cannot be used. */
export async function createTextEncoder(setup: WorkerSetup): Promise<TextEncoder> {
  const { paths, maxTokens, prefixes } = setup;
  const tokenizer = await loadTokenizer(paths, maxTokens, (json) => requirePadToken(json, setup.padId));
  const session = await loadPart('the encoder', paths.encoder, () => createSession(paths.encoder, setup));
  const idsOf = ({ text, kind }: KindedText): number[] => tokenizer.encode(prefixes[kind] + text);
  return {
    tokenize: (texts) =>
      texts.map((text) => {
        try {
          return idsOf(text);
        } catch {
          return null;
        }
      }),
    async encode(texts) {
      const ids = texts.map((text) => text.ids ?? idsOf(text));
      const longest = ids.reduce((most, row) => Math.max(most, row.length), 0);
      const { data, dimensions } = await session.run(ids);
      if (dimensions !== setup.dimensions) {
        throw new Error(`the encoder gives ${dimensions} dimensions, the manifest says ${setup.dimensions}.`);
      }
      if (setup.normalize) normalizeRows(data, dimensions);
      return { vectors: data, ids, paddedTokens: longest * ids.length };
    },
  };
}
