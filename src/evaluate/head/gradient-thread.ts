/** A thread that sums loss and gradient over its share of the rows, which it sees in shared memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { addLoss } from './loss.js';
import type { TrainingRows } from './training-rows.js';

/** What a thread is started with. */
export interface ThreadShare {
  readonly rows: TrainingRows;
  readonly from: number;
  readonly to: number;
  /** [w_u; w_v; w_d; b], set by the caller before each request. */
  readonly weights: Float64Array<SharedArrayBuffer>;
  /** The thread's own place for the gradient. */
  readonly gradient: Float64Array<SharedArrayBuffer>;
}

/** Request: sum for this fold. Answer: the sums; the gradient lies in the shared place. */
export interface ThreadAnswer {
  readonly loss: number;
  readonly lists: number;
}

const share = workerData as ThreadShare;
parentPort?.on('message', (fold: number) => {
  const sum = { loss: 0, lists: 0, gradient: share.gradient };
  sum.gradient.fill(0);
  addLoss(share.rows, share.from, share.to, share.weights, fold, sum);
  const answer: ThreadAnswer = { loss: sum.loss, lists: sum.lists };
  parentPort?.postMessage(answer);
});
