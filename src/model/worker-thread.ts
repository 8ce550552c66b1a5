/**
 * The pool's side of one worker thread: a promise for its readiness, one batch at a time, and one notice when
 * it is gone, whatever the reason.
 */
import { Worker } from 'node:worker_threads';
import type {
  BatchRequest,
  BatchText,
  EncodedTexts,
  KindedText,
  TextIds,
  WorkerReply,
  WorkerRequest,
  WorkerSetup,
} from './worker-protocol.js';

/** Far beyond the longest batch and the loading of a model. */
const LONGEST_END_MS = 30_000;

/** What became of a batch; `lost` means that the thread died with it. */
export type BatchOutcome =
  | {
      readonly type: 'encoded';
      readonly vectors: Float32Array;
      readonly paddedTokens: number;
      readonly nextIds: readonly TextIds[];
    }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'lost'; readonly message: string };

/** Starts the thread; a test may keep the Worker to end it. */
export type StartThread = (setup: WorkerSetup) => Worker;

export function startEncoderThread(setup: WorkerSetup): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, name: 'twinrank-encoder' });
}

export class WorkerThread {
  readonly #thread: Worker;
  readonly #gone: Promise<void>;
  #ready: { resolve: (probe: EncodedTexts) => void; reject: (error: Error) => void } | null = null;
  #batch: ((outcome: BatchOutcome) => void) | null = null;
  #lastError: string | null = null;
  /** Called once when the thread has ended, after the outcome of its batch. */
  onGone: () => void = () => undefined;

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on('message', (reply: WorkerReply) => this.#take(reply));
    thread.on('error', (error: unknown) => (this.#lastError = String(error)));
    this.#gone = new Promise((resolve) => {
      thread.on('exit', (code) => {
        this.#end(this.#lastError ?? `the worker thread ended with code ${code}.`);
        resolve();
      });
    });
  }

  /** Resolves to what the probe gave; rejects when the model cannot be used or the thread ends. */
  ready(): Promise<EncodedTexts> {
    return new Promise((resolve, reject) => (this.#ready = { resolve, reject }));
  }

  /** Encodes one batch and tokenises `next`; never rejects. The next call must wait for the outcome. */
  run(texts: readonly BatchText[], next: readonly KindedText[] = []): Promise<BatchOutcome> {
    const request: BatchRequest = {
      texts: texts.map(({ text, kind, ids = null }) => ({ text, kind, ids })),
      next: next.map(({ text, kind }) => ({ text, kind })),
    };
    return new Promise((resolve) => {
      this.#batch = resolve;
      this.#thread.postMessage(request);
    });
  }

  /**
   * Asks the thread to end and resolves when it is gone; a running batch is finished first. It is not terminated
   * from outside unless it will not end: torn down inside the native code, it would take the process along
   * (an uncaught Napi::Error, seen once in six such ends).
   */
  async stop(): Promise<void> {
    this.#thread.postMessage('end' satisfies WorkerRequest);
    const impatience = setTimeout(() => void this.#thread.terminate(), LONGEST_END_MS);
    await this.#gone;
    clearTimeout(impatience);
  }

  #take(reply: WorkerReply): void {
    switch (reply.type) {
      case 'ready':
        this.#ready?.resolve(reply.probe);
        this.#ready = null;
        return;
      case 'unfit':
        this.#ready?.reject(new Error(reply.message));
        this.#ready = null;
        return;
      case 'encoded':
      case 'failed':
        this.#finish(reply);
        return;
    }
  }

  #finish(outcome: BatchOutcome): void {
    const tell = this.#batch;
    this.#batch = null;
    tell?.(outcome);
  }

  #end(message: string): void {
    this.#ready?.reject(new Error(message));
    this.#ready = null;
    this.#finish({ type: 'lost', message });
    this.onGone();
  }
}
