/**
 * Preloaded into a service (`node --import`) that is to be tested under faults: SIGUSR2 crashes each of its inference
 * workers, SIGHUP holds each up for a while. The services themselves know nothing of it.
 */
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';

const CHANNEL = 'twinrank-worker-faults';
/** Longer than the budget of a search. */
const HELD_MS = 600;

if (isMainThread) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  process.on('SIGUSR2', () => channel.postMessage('crash'));
  process.on('SIGHUP', () => channel.postMessage('hold'));
} else if (isInferenceWorker(workerData)) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  channel.onmessage = (event: unknown) => {
    if ((event as { data: unknown }).data === 'crash') {
      // Outside any promise, so that nothing of the worker's can catch it.
      setImmediate(() => {
        throw new Error('This worker was crashed on purpose.');
      });
      return;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_MS);
  };
}

function isInferenceWorker(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'probe' in data;
}
