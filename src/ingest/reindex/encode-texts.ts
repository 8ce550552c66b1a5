/** Vectors for the texts of a page: patient while the encoder's queue is full, and one bad text fails alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asTwinrankError, TwinrankError } from '../../errors.js';
import type { Encoder } from '../../model/encoder.js';
import { stopped } from './patient-read.js';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
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
    return await encodeWhenThereIsRoom(encoder, texts, signal);
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

async function encodeWhenThereIsRoom(
  encoder: Encoder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await encoder.encode(texts, { kind: 'document', signal });
    } catch (error) {
      if (!(error instanceof TwinrankError) || error.code !== 'overloaded') throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}
