/**
 * Keeps the vectors of texts that come again: searches repeat, and so do titles. Callers that ask for the same
 * text at the same time share one computation, which is dropped only when all of them have left.
 */
import { LRUCache } from 'lru-cache';
import { TwinrankError } from '../errors.js';
import type { EncodeOptions, Encoder } from './encoder.js';
import type { TokenCounter } from './token-counter.js';

export interface VectorCacheOptions {
  /** Texts that are kept (about 4 bytes a dimension each); 0 keeps none. */
  readonly maxTexts: number;
  /** Told how many texts of a call were there already, or under way for another caller, and how many not. */
  readonly onLookUp?: ((found: number, missing: number) => void) | undefined;
}

/** Longer texts hardly come again, and as keys they would make the cache's size unpredictable. */
const LONGEST_KEY = 1000;

/** One call of the encoder behind the cache, and how many callers wait for it. */
interface Shared {
  readonly abort: AbortController;
  readonly vectors: Promise<Float32Array[]>;
  waiting: number;
}

interface Place {
  readonly shared: Shared;
  readonly index: number;
}

/** An encoder that remembers; with `maxTexts` 0 the given one. */
export function createCachedEncoder(encoder: Encoder, { maxTexts, onLookUp }: VectorCacheOptions): Encoder {
  return maxTexts === 0 ? encoder : new CachedEncoder(encoder, maxTexts, onLookUp);
}

/** A counter that remembers; with `maxTexts` 0 the given one. */
export function createCachedCounter(counter: TokenCounter, { maxTexts }: VectorCacheOptions): TokenCounter {
  if (maxTexts === 0) return counter;
  const kept = new LRUCache<string, number>({ max: maxTexts });
  return {
    async count(texts, options) {
      const found = new Map(texts.map((text) => [text, kept.get(`${options.kind}:${text}`)]));
      const missing = [...found].filter(([, count]) => count === undefined).map(([text]) => text);
      const counts = missing.length === 0 ? [] : await counter.count(missing, options);
      for (const [index, text] of missing.entries()) {
        found.set(text, counts[index]);
        const key = `${options.kind}:${text}`;
        if (key.length <= LONGEST_KEY) kept.set(key, counts[index] as number);
      }
      return texts.map((text) => found.get(text) as number);
    },
  };
}

class CachedEncoder implements Encoder {
  readonly dimensions: number;
  readonly fingerprint: string;
  readonly #encoder: Encoder;
  readonly #kept: LRUCache<string, Float32Array>;
  readonly #pending = new Map<string, Place>();
  readonly #onLookUp: VectorCacheOptions['onLookUp'];

  constructor(encoder: Encoder, maxTexts: number, onLookUp: VectorCacheOptions['onLookUp']) {
    this.dimensions = encoder.dimensions;
    this.fingerprint = encoder.fingerprint;
    this.#encoder = encoder;
    this.#onLookUp = onLookUp;
    this.#kept = new LRUCache({ max: maxTexts });
  }

  async encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array[]> {
    const { kind, signal } = options;
    if (signal?.aborted === true) throw left(signal);
    const found = new Map<string, Float32Array>();
    const awaited = new Map<string, Place>();
    const missing = new Set<string>();
    for (const text of texts) {
      const key = `${kind}:${text}`;
      const vector = this.#kept.get(key);
      const place = this.#pending.get(key);
      if (vector !== undefined) found.set(text, vector);
      else if (place !== undefined) awaited.set(text, place);
      else missing.add(text);
    }
    this.#onLookUp?.(found.size + awaited.size, missing.size);
    if (missing.size > 0) {
      const shared = this.#begin([...missing], options);
      for (const [index, text] of [...missing].entries()) awaited.set(text, { shared, index });
    }
    const calls = new Set(Array.from(awaited.values(), (place) => place.shared));
    for (const [shared, vectors] of await joined(calls, signal)) {
      for (const [text, place] of awaited) {
        if (place.shared === shared) found.set(text, vectors[place.index] as Float32Array);
      }
    }
    return texts.map((text) => found.get(text) as Float32Array);
  }

  #begin(texts: readonly string[], { kind }: EncodeOptions): Shared {
    const abort = new AbortController();
    const vectors = this.#encoder.encode(texts, { kind, signal: abort.signal });
    const shared: Shared = { abort, vectors, waiting: 0 };
    const keys = texts.map((text) => `${kind}:${text}`);
    for (const [index, key] of keys.entries()) this.#pending.set(key, { shared, index });
    const forget = () => {
      for (const key of keys) if (this.#pending.get(key)?.shared === shared) this.#pending.delete(key);
    };
    // A call that everybody left must not be joined any more: it is going to fail.
    abort.signal.addEventListener('abort', forget, { once: true });
    vectors.then(
      (ready) => {
        forget();
        for (const [index, key] of keys.entries()) {
          if (key.length <= LONGEST_KEY) this.#kept.set(key, ready[index] as Float32Array);
        }
      },
      () => forget(),
    );
    return shared;
  }
}

/** Waits for all calls as one of their callers; leaves them all when the signal aborts. */
async function joined(
  calls: ReadonlySet<Shared>,
  signal: AbortSignal | undefined,
): Promise<[Shared, Float32Array[]][]> {
  if (calls.size === 0) return [];
  for (const call of calls) call.waiting++;
  let leave: () => void = () => undefined;
  try {
    const all = Promise.all(
      Array.from(calls, async (call) => [call, await call.vectors] as [Shared, Float32Array[]]),
    );
    if (signal === undefined) return await all;
    const aborted = new Promise<never>((_, reject) => {
      leave = () => reject(left(signal));
      signal.addEventListener('abort', leave, { once: true });
    });
    return await Promise.race([all, aborted]);
  } finally {
    signal?.removeEventListener('abort', leave);
    for (const call of calls) {
      call.waiting--;
      if (call.waiting === 0) call.abort.abort();
    }
  }
}

function left(signal: AbortSignal): TwinrankError {
  return new TwinrankError('cancelled', 'Encoding was cancelled by its caller.', { cause: signal.reason });
}
