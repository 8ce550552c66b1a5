/** How much of an index has vectors, as it grows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './inspect.js';

const POLL_MS = 300;

export interface ShareWatch {
  /** Resolves to true when the share is reached, or to false when the watch ends before. */
  reached(share: number): Promise<boolean>;
  end(): void;
}

/** Watches which share of `total` documents has the field; what cannot be asked is asked again. */
export function watchShare(url: string, index: string, field: string, total: number): ShareWatch {
  let share = 0;
  let ended = false;
  const query = JSON.stringify({ query: { exists: { field } } });
  void (async () => {
    while (!ended) {
      try {
        await call(`${url}/${index}/_refresh`, 'POST');
        const answer = JSON.parse(await call(`${url}/${index}/_count`, 'POST', query)) as { count: number };
        share = answer.count / total;
      } catch {
        // A node is down; the next one answers.
      }
      await sleep(POLL_MS);
    }
  })();
  return {
    async reached(wanted) {
      while (share < wanted && !ended) await sleep(POLL_MS / 3);
      return share >= wanted;
    },
    end() {
      ended = true;
    },
  };
}
