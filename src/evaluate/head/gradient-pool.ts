/** Sums loss and gradient over all rows, on as many threads as are worth it. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ThreadAnswer, ThreadShare } from './gradient-thread.js';
import { addLoss, emptySum, type LossSum } from './loss.js';
import type { TrainingRows } from './training-rows.js';

export interface GradientPool {
  /** Sums over the rows that are not withheld for `fold`. One call at a time. */
  sum(weights: Float64Array, fold: number): Promise<LossSum>;
  close(): Promise<void>;
}

/** Rows below which handing them to a thread costs more than it saves. */
const ROWS_WORTH_A_THREAD = 1_500;
const THREAD = new URL('./gradient-thread.js', import.meta.url);

/** A pool of at most `cores` threads; a small set is summed in the caller's own. */
export function createGradientPool(rows: TrainingRows, cores: number): GradientPool {
  const threads = Math.min(cores, Math.floor(rows.left.length / ROWS_WORTH_A_THREAD));
  return threads < 2 ? createInlinePool(rows) : createThreadPool(rows, threads);
}

function createInlinePool(rows: TrainingRows): GradientPool {
  return {
    sum: (weights, fold) => {
      const sum = emptySum(rows.vectors.dimensions);
      addLoss(rows, 0, rows.starts.length - 1, weights, fold, sum);
      return Promise.resolve(sum);
    },
    close: () => Promise.resolve(),
  };
}

function createThreadPool(rows: TrainingRows, count: number): GradientPool {
  const length = 3 * rows.vectors.dimensions + 1;
  const shared = () => new Float64Array(new SharedArrayBuffer(8 * length));
  const weights = shared();
  const bounds = evenBounds(rows.starts, count);
  const threads = bounds.slice(1).map((to, i) => {
    const share: ThreadShare = { rows, from: bounds[i] as number, to, weights, gradient: shared() };
    return { worker: new Worker(THREAD, { workerData: share }), gradient: share.gradient };
  });
  return {
    sum: async (at, fold) => {
      weights.set(at);
      const answers = await Promise.all(
        threads.map(async ({ worker, gradient }) => {
          const answered = once(worker, 'message') as Promise<[ThreadAnswer]>;
          worker.postMessage(fold);
          return { ...(await answered)[0], gradient };
        }),
      );
      const sum = emptySum(rows.vectors.dimensions);
      for (const { loss, lists, gradient } of answers) {
        sum.loss += loss;
        sum.lists += lists;
        for (let k = 0; k < length; k++)
          sum.gradient[k] = (sum.gradient[k] as number) + (gradient[k] as number);
      }
      return sum;
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** Bounds of `count` runs of lists with about the same number of rows each. */
export function evenBounds(starts: Int32Array, count: number): number[] {
  const lists = starts.length - 1;
  const rows = starts[lists] ?? 0;
  const bounds = [0];
  for (let list = 0; list < lists && bounds.length < count; list++)
    if ((starts[list + 1] as number) >= (bounds.length * rows) / count) bounds.push(list + 1);
  if ((bounds.at(-1) ?? 0) < lists) bounds.push(lists);
  return bounds;
}
