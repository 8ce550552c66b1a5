/**
 * Counts the tokens of texts as the encoder would see them, on a thread of its own: a long text without spaces
 * takes a tenth of a second, which nobody else should wait for.
 */
import { Worker } from 'node:worker_threads';
import { TwinrankError } from '../errors.js';
import type { Bundle } from './bundle.js';
import type { EncodeOptions, TextKind } from './encoder.js';
import type { CountReply, CountRequest, CounterSetup } from './token-counter-protocol.js';

export interface TokenCounter {
  /**
   * Tokens of each text, prefix and end tokens included. One more than the model's limit stands for any greater
   * number: such a text is cut when it is encoded. Rejects with `cancelled` or `cannot_tokenise`.
   */
  count(texts: readonly string[], options: EncodeOptions): Promise<number[]>;
}

/** A counter with a thread to end. */
export interface TokenCounterThread extends TokenCounter {
  close(): Promise<void>;
}

/** Texts that the thread gets at once: a caller who leaves frees it after these. */
const TEXTS_AT_ONCE = 64;

interface Waiting {
  resolve(counts: number[]): void;
  reject(error: TwinrankError): void;
}

/** Starts the thread; resolves when it has read the tokeniser. Rejects with `cannot_tokenise`. */
export async function createTokenCounter(
  bundle: Pick<Bundle, 'manifest' | 'paths'>,
): Promise<TokenCounterThread> {
  const { manifest, paths } = bundle;
  const counter = new CounterThread({
    paths: { tokenizer: paths.tokenizer, charMap: paths.charMap },
    maxTokens: manifest.maxTokens + 1,
    prefixes: { query: manifest.queryPrefix, document: manifest.documentPrefix },
  });
  try {
    await counter.count([''], { kind: 'query' });
  } catch (error) {
    await counter.close();
    throw error;
  }
  return counter;
}

class CounterThread implements TokenCounterThread {
  readonly #setup: CounterSetup;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #nextId = 0;
  #isClosed = false;

  constructor(setup: CounterSetup) {
    this.#setup = setup;
  }

  async count(texts: readonly string[], { kind, signal }: EncodeOptions): Promise<number[]> {
    const counts: number[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
      if (signal?.aborted === true) {
        throw new TwinrankError('cancelled', 'Counting was cancelled by its caller.', {
          cause: signal.reason,
        });
      }
      counts.push(...(await this.#ask(texts.slice(from, from + TEXTS_AT_ONCE), kind)));
    }
    return counts;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.terminate();
  }

  #ask(texts: readonly string[], kind: TextKind): Promise<number[]> {
    if (this.#isClosed)
      return Promise.reject(new TwinrankError('not_ready', 'The token counter is shutting down.'));
    const thread = (this.#thread ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.postMessage({ id, texts, kind } satisfies CountRequest);
    });
  }

  /** A thread that ends fails those who wait; the next caller gets another. */
  #start(): Worker {
    const thread = new Worker(new URL('./token-counter-worker.js', import.meta.url), {
      workerData: this.#setup,
      name: 'twinrank-token-counter',
    });
    let reason = 'the thread ended.';
    thread.on('message', (reply: CountReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('counts' in reply) waiting?.resolve([...reply.counts]);
      else waiting?.reject(cannotTokenise(reply.message));
    });
    thread.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = null;
      for (const waiting of this.#waiting.values()) waiting.reject(cannotTokenise(reason));
      this.#waiting.clear();
    });
    return thread;
  }
}

function cannotTokenise(reason: string): TwinrankError {
  return new TwinrankError('cannot_tokenise', `A text cannot be tokenised: ${reason}`);
}
