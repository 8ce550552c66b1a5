/**
 * The bytes of an answer between the connection that gives them and the one who reads them. What has come is read to its
 * end before a failure is told: a download that breaks must keep every byte that it got.
 */

export interface AnswerBody {
  /** Takes bytes; false asks for a pause until `onRoom`. */
  push(chunk: Buffer): boolean;
  /** No more bytes come: all have, or what comes now is this failure. */
  end(failure?: unknown): void;
  /** To be read once; leaving early calls `onLeft`. */
  read(): AsyncIterable<Buffer>;
  leave(): void;
}

export interface AnswerBodyEvents {
  /** There is room again after a pause. */
  readonly onRoom: () => void;
  /** Nobody will read the rest. */
  readonly onLeft: () => void;
}

const MAX_WAITING_BYTES = 1024 * 1024;

export function createAnswerBody({ onRoom, onLeft }: AnswerBodyEvents): AnswerBody {
  const chunks: Buffer[] = [];
  let waiting = 0;
  let isPaused = false;
  let isEnded = false;
  let failure: unknown;
  let wake = (): void => undefined;

  const leave = (): void => {
    if (!isEnded) onLeft();
  };

  async function* read(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) {
          waiting -= chunk.length;
          yield chunk;
        } else if (isPaused) {
          isPaused = false;
          onRoom();
        } else if (isEnded) {
          if (failure !== undefined) throw failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      leave();
    }
  }

  return {
    push: (chunk) => {
      chunks.push(chunk);
      waiting += chunk.length;
      isPaused = waiting >= MAX_WAITING_BYTES;
      wake();
      return !isPaused;
    },
    end: (reason) => {
      if (isEnded) return;
      isEnded = true;
      failure = reason;
      wake();
    },
    read,
    leave,
  };
}
