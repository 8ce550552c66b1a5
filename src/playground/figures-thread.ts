/** Runs the judged view's reckoning in a thread of its own, one at a time, with bounds on memory and time. */
import { Worker } from 'node:worker_threads';
import { TwinrankError, type ErrorCode } from '../errors.js';

export interface FiguresTask {
  readonly kind: 'judgments' | 'figures';
  /** JSON, as it came. */
  readonly body: string;
}

export type FiguresAnswer =
  { readonly result: string } | { readonly code: ErrorCode; readonly message: string };

const LIMIT_MS = 60_000;
const MAX_WAITING = 8;

/** Runs tasks one after the other; resolves to JSON. Rejects with the task's own error, or `overloaded`. */
export function createFiguresThread(): (task: FiguresTask, signal: AbortSignal) => Promise<string> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (task, signal) => {
    if (waiting >= MAX_WAITING)
      throw new TwinrankError('overloaded', 'Other judged views are being reckoned. Retry in a while.');
    waiting++;
    const mine = last.then(() => runTask(task, signal));
    last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      waiting--;
    }
  };
}

async function runTask(task: FiguresTask, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./figures-worker.js', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  try {
    const answer = await new Promise<FiguresAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => {
        reject(new TwinrankError('internal', 'The reckoning ended without a result.'));
      });
      limit.addEventListener(
        'abort',
        () => {
          reject(new TwinrankError('deadline_exceeded', 'The reckoning took too long. Use "twinrank eval".'));
        },
        { once: true },
      );
    });
    if ('result' in answer) return answer.result;
    throw new TwinrankError(answer.code, answer.message);
  } finally {
    await worker.terminate();
  }
}
