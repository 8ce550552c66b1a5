/**
 * Vectors on the fly for hits that have no usable one: as many of the first hits of the window as the budget
 * allows. What is not ready in time stays unscored, and nothing waits beyond the deadline.
 */
import type { Encoder } from '../model/encoder.js';
import { textOfMembers } from '../search-engine/document-text.js';
import type { SettingsByIndex } from '../search-engine/index-settings.js';
import type { HitVector } from './hit-vector.js';
import type { HitRanges } from './search-response.js';

export interface RescueLimits {
  /** Texts encoded for one search at most; 0 encodes none. */
  readonly maxTexts: number;
  /** Milliseconds that are left of the caller's budget. */
  readonly remainingMs: number;
}

/** The vectors, with those that could be had in time put into their places. */
export async function rescueVectors(
  encoder: Encoder,
  bytes: Buffer,
  hits: readonly HitRanges[],
  vectors: readonly HitVector[],
  settings: SettingsByIndex,
  limits: RescueLimits,
  signal: AbortSignal,
): Promise<readonly HitVector[]> {
  const texts = textsOf(bytes, hits, vectors, settings, limits.maxTexts);
  if (texts.size === 0 || limits.remainingMs <= 0) return vectors;
  const rescued: HitVector[] = [...vectors];
  const aborter = new AbortController();
  const abort = (): void => {
    aborter.abort();
  };
  signal.addEventListener('abort', abort, { once: true });
  // One call a text: what is ready when time is up is used, the rest is dropped.
  const work = [...texts].map(async ([position, text]) => {
    try {
      const [vector] = await encoder.encode([text], { kind: 'document', signal: aborter.signal });
      if (vector !== undefined && !aborter.signal.aborted) rescued[position] = vector;
    } catch {
      // The hit stays as it is, and is counted as that.
    }
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limits.remainingMs);
  });
  await Promise.race([Promise.all(work), late]);
  clearTimeout(timer);
  signal.removeEventListener('abort', abort);
  abort();
  return rescued;
}

/** Texts to encode by position: the hits of configured indices that have a text but no vector. */
function textsOf(
  bytes: Buffer,
  hits: readonly HitRanges[],
  vectors: readonly HitVector[],
  settings: SettingsByIndex,
  maxTexts: number,
): Map<number, string> {
  const texts = new Map<number, string>();
  for (const [position, hit] of hits.entries()) {
    if (texts.size >= maxTexts) break;
    if (typeof vectors[position] !== 'string' || hit.source === undefined) continue;
    const fields = settings.get(hit.index)?.textFields;
    const text = fields === undefined ? undefined : textOfMembers(bytes, hit.source.members, fields);
    if (text !== undefined) texts.set(position, text);
  }
  return texts;
}
