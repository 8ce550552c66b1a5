/**
 * One loaded model on one thread: prefix, tokenise, pad, run, normalise. Blocks its thread while it computes,
 * so it belongs in a worker.
 */
import { createSession } from './ort-session.js';
import { requirePadToken } from './pad-token.js';
import { loadPart, loadTokenizer } from './tokenizer-files.js';
import { normalizeRows } from './unit-length.js';
import type { EncodedTexts, KindedText, WorkerSetup } from './worker-protocol.js';

export interface TextEncoder {
  encode(texts: readonly KindedText[]): Promise<EncodedTexts>;
}

/** Loads tokeniser and weights (about 0.5 s); throws a plain Error that names what cannot be used. */
export async function createTextEncoder(setup: WorkerSetup): Promise<TextEncoder> {
  const { paths, maxTokens, prefixes } = setup;
  const tokenizer = await loadTokenizer(paths, maxTokens, (json) => requirePadToken(json, setup.padId));
  const session = await loadPart('the encoder', paths.encoder, () => createSession(paths.encoder, setup));
  return {
    async encode(texts) {
      const ids = texts.map(({ text, kind }) => tokenizer.encode(prefixes[kind] + text));
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
