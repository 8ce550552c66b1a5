/** How long a client's request goes on being tried: counted from the first failure after the latest success. */
import { delayBefore } from '../search-engine/back-off.js';

const BACK_OFF = { retries: Infinity, firstDelay: 100, maxDelay: 2_000 };

export class RetryWindow {
  readonly #retryForMs: number;
  readonly #onRetry: () => void;
  readonly #now: () => number;
  #until: number | undefined;
  #retry = 0;

  /**
   * @param retryForMs milliseconds; 0 never tries again
   * @param onRetry told of each time that there is one more try
   */
  constructor(retryForMs: number, now: () => number = Date.now, onRetry: () => void = () => undefined) {
    this.#retryForMs = retryForMs;
    this.#onRetry = onRetry;
    this.#now = now;
  }

  /** Milliseconds until the next try; undefined where the time is over, or the engine asks to wait beyond it. */
  next(retryAfter: number | null): number | undefined {
    const now = this.#now();
    this.#until ??= now + this.#retryForMs;
    const left = this.#until - now;
    if (left <= 0 || (retryAfter ?? 0) > left) return undefined;
    this.#onRetry();
    return Math.min(left, Math.max(delayBefore(this.#retry++, null, BACK_OFF, Math.random), retryAfter ?? 0));
  }

  /** The engine has taken what it was sent: the next failure is a new one. */
  succeeded(): void {
    this.#until = undefined;
    this.#retry = 0;
  }
}
