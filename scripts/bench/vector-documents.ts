/** Documents with vectors as the sidecar would write them, without the sidecar. */
import type { Bundle } from '../../src/model/bundle.js';
import { encodePayload, hashText, type Codec } from '../../src/search-engine/vector-payload.js';
import { benchAgent, send, writeBulk } from './http-client.js';

const BULK = 1_000;

export interface Filling {
  readonly index: string;
  readonly titles: readonly string[];
  /** Further members of each document, without commas around them; the empty string gives none. */
  readonly extra: (position: number) => string;
  /** The vectors, by position, and their codec; undefined writes none. */
  readonly vectors: { readonly codec: Codec; readonly at: (position: number) => Float32Array } | undefined;
}

/** Writes the documents direct to the engine, with the position as id, and refreshes. */
export async function fillIndex(engine: string, bundle: Bundle, filling: Filling): Promise<void> {
  const agent = benchAgent();
  const { index, titles, vectors } = filling;
  try {
    for (let start = 0; start < titles.length; start += BULK) {
      const lines = titles.slice(start, start + BULK).map((title, offset) => {
        const members = [
          ...(vectors === undefined
            ? []
            : [`"twinrank_vector":"${payload(bundle, vectors.codec, title, vectors.at(start + offset))}"`]),
          `"title":${JSON.stringify(title)}`,
          ...[filling.extra(start + offset)].filter((member) => member !== ''),
        ];
        return `{"index":{"_id":"${start + offset}"}}\n{${members.join(',')}}\n`;
      });
      await writeBulk(agent, engine, index, lines.join(''));
    }
    await send(agent, engine, 'POST', `/${index}/_refresh`);
  } finally {
    agent.destroy();
  }
}

function payload({ fingerprint }: Bundle, codec: Codec, title: string, vector: Float32Array): string {
  return encodePayload({ codec, fingerprint, textHash: hashText(title), vector });
}
