/** Vectors for the texts of a page: patient while the encoder's queue is full, and one bad text fails alone. */
import type { TwinrankError } from '../../errors.js';
import { asTwinrankError } from '../../errors.js';
import type { Encoder } from '../../model/encoder.js';
import { whenThereIsRoom } from '../../model/when-there-is-room.js';
import { stopped } from './patient-read.js';

/** Errors that concern the texts given; others (no thread can be started) concern the whole work. */
const OF_THE_TEXTS: ReadonlySet<string> = new Set(['encode_failed', 'body_too_large', 'internal']);

/** A vector, or why there is none, for each text in order. Rejects with `cancelled`, `not_ready`. */
export async function encodeTexts(
  encoder: Encoder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<(Float32Array | TwinrankError)[]> {
  if (texts.length === 0) return [];
  try {
    return await whenThereIsRoom(() => encoder.encode(texts, { kind: 'document', signal }), { signal });
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    if (signal.aborted) throw stopped(error);
    if (!OF_THE_TEXTS.has(error.code)) throw error;
    if (texts.length === 1) return [error];
    const half = Math.ceil(texts.length / 2);
    return [
      ...(await encodeTexts(encoder, texts.slice(0, half), signal)),
      ...(await encodeTexts(encoder, texts.slice(half), signal)),
    ];
  }
}
