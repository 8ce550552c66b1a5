/** An encoder port, settings and streams to test the sidecar's parts with. */
import { TwinrankError } from '../../../src/errors.js';
import {
  bulkItems,
  emptyTally,
  UnsentKeys,
  type BulkItemsOptions,
  type BulkPiece,
  type BulkTally,
} from '../../../src/ingest/bulk-items.js';
import type { Vectorize } from '../../../src/ingest/vectorizer.js';
import type { EncodeOptions, Encoder } from '../../../src/model/encoder.js';
import type { SettingsReader } from '../../../src/search-engine/index-settings.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';

export const SETTINGS: IndexSettings = {
  textFields: ['title'],
  vectorField: 'vec',
  codec: 'f32',
  dimensions: 2,
  model: 'm',
  fingerprint: '0123456789abcdef',
  window: 100,
};

/** Every index is set up but those whose name starts with "plain". */
export const settingsReader: SettingsReader = {
  forSearch: () => Promise.reject(new Error('not asked for in ingest')),
  forWrite: (index) => Promise.resolve(index.startsWith('plain') ? undefined : SETTINGS),
};

/** Vector that a text gets: its length and its first code unit. */
export const vectorOf = (text: string): Float32Array => Float32Array.of(text.length, text.charCodeAt(0));

/** An encoder that waits as `pause` says and fails for texts that start with "fail". */
export function encoderThat(pause: (text: string, options: EncodeOptions) => Promise<void>): Encoder & {
  readonly peak: () => number;
} {
  let pending = 0;
  let peak = 0;
  return {
    dimensions: SETTINGS.dimensions,
    fingerprint: SETTINGS.fingerprint,
    peak: () => peak,
    async encode(texts, options) {
      peak = Math.max(peak, ++pending);
      try {
        for (const text of texts) {
          await pause(text, options);
          if (text.startsWith('fail')) throw new TwinrankError('encode_failed', `Cannot encode "${text}".`);
        }
        return texts.map(vectorOf);
      } finally {
        pending--;
      }
    },
  };
}

export async function* chunked(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield await Promise.resolve(body.subarray(at, at + size));
}

export async function* eachOf(lines: readonly string[]): AsyncGenerator<Buffer> {
  for (const line of lines) yield await Promise.resolve(Buffer.from(line));
}

/** Options for the items of a body, with much room. */
export function itemOptions(vectorize: Vectorize, options: Partial<BulkItemsOptions> = {}): BulkItemsOptions {
  return {
    vectorize,
    updates: undefined,
    unsent: new UnsentKeys(),
    answered: () => Promise.resolve(),
    isRefused: () => false,
    defaults: { index: undefined, routing: undefined },
    signal: new AbortController().signal,
    maxPendingBytes: 1_000_000,
    maxPendingItems: 100,
    overloadPatienceMs: 0,
    ...options,
  };
}

/** All pieces of a bulk body, and what is sent of them. */
export async function transformed(
  lines: AsyncIterable<Buffer>,
  vectorize: Vectorize,
  options: Partial<BulkItemsOptions> = {},
): Promise<{ readonly text: string; readonly tally: BulkTally; readonly rejected: string[] }> {
  const tally = emptyTally();
  const pieces: BulkPiece[] = [];
  for await (const piece of bulkItems(lines, tally, itemOptions(vectorize, options))) pieces.push(piece);
  const sent = pieces.flatMap((piece) => (piece.kind === 'lines' ? piece.bytes : []));
  return {
    text: Buffer.concat(sent).toString('utf8'),
    tally,
    rejected: pieces.flatMap((piece) =>
      piece.kind === 'rejected' ? [`line ${piece.line} ${piece.error.code}`] : [],
    ),
  };
}
