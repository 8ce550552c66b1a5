/** Lets a few in at a time and the others wait in line, so that what many clients send at once stays bounded. */
import type { IncomingMessage } from 'node:http';
import { TwinrankError } from '../errors.js';
import { watchSilence } from './silent-sender.js';

export interface TurnstileOptions {
  /** How many are in at once. */
  readonly places: number;
  /** How many may wait; whoever comes then is refused at once. */
  readonly maxWaiting: number;
  /** How long one waits before it is refused, in milliseconds. */
  readonly patienceMs: number;
  /** How long who is in may send nothing in the middle of its body while others wait, in milliseconds. */
  readonly maxSilenceMs: number;
  /** What there is too much of, for the message. */
  readonly what: string;
}

/** Whose body is still to be read while it is in. */
export interface Sender {
  readonly request: IncomingMessage;
  /** Called once, where it has been silent too long and others wait; it must give its place back. */
  readonly onSilence: () => void;
}

interface Waiting {
  readonly enter: () => void;
}

export class Turnstile {
  readonly #options: TurnstileOptions;
  readonly #line = new Set<Waiting>();
  #inside = 0;

  constructor(options: TurnstileOptions) {
    this.#options = options;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Resolves, in the order of coming, to what gives the place back; calling it twice does no harm. Rejects with
   * `overloaded` where the line is too long or the wait is, and with `cancelled` when the signal fires.
   */
  async enter(signal: AbortSignal, { request, onSilence }: Sender): Promise<() => void> {
    if (signal.aborted) throw left(signal);
    if (this.#inside < this.#options.places) this.#inside++;
    else await this.#wait(signal);
    const isInTheWay = (): boolean => this.#line.size > 0;
    const endWatch = watchSilence(request, this.#options.maxSilenceMs, isInTheWay, onSilence);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      endWatch();
      const [next] = this.#line;
      // The place goes to the next in line, so nobody can slip in between.
      if (next === undefined) this.#inside--;
      else next.enter();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { maxWaiting, patienceMs } = this.#options;
    if (this.#line.size >= maxWaiting) return Promise.reject(this.#tooMany());
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        this.#line.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const waiting: Waiting = {
        enter: () => {
          leave(resolve);
        },
      };
      const onAbort = (): void => {
        leave(() => {
          reject(left(signal));
        });
      };
      const timer = setTimeout(() => {
        leave(() => {
          reject(this.#tooMany());
        });
      }, patienceMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#line.add(waiting);
    });
  }

  #tooMany(): TwinrankError {
    return new TwinrankError(
      'overloaded',
      `Too many ${this.#options.what} are under way at once. Send this again in a moment.`,
    );
  }
}

function left(signal: AbortSignal): TwinrankError {
  return new TwinrankError('cancelled', 'The caller went away.', { cause: signal.reason });
}
