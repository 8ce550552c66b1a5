/**
 * Entry of a worker thread: loads the model it is given, encodes the probe, reports ready, then answers one
 * batch after the other. Started by startEncoderThread only.
 */
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { createTextEncoder } from './text-encoder.js';
import { lowerThreadPriority } from './thread-priority.js';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-protocol.js';

if (parentPort !== null) await serve(parentPort, workerData as WorkerSetup);

async function serve(port: MessagePort, setup: WorkerSetup): Promise<void> {
  const reply = (message: WorkerReply, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, [...transfer]);
  // Before the session makes its own threads: they inherit it.
  lowerThreadPriority(setup.niceness);
  try {
    const encoder = await createTextEncoder(setup);
    const probe = await encoder.encode(setup.probe);
    let underWay = Promise.resolve();
    port.on('message', (request: WorkerRequest) => {
      if (request === 'end') {
        // With its port closed nothing keeps the thread, and it ends by itself.
        void underWay.then(() => port.close());
        return;
      }
      const { texts, next } = request;
      underWay = encoder.encode(texts).then(
        // The buffer is onnxruntime's own output copy; moving it saves copying it again.
        ({ vectors, paddedTokens }) =>
          reply({ type: 'encoded', vectors, paddedTokens, nextIds: encoder.tokenize(next) }, [
            vectors.buffer as ArrayBuffer,
          ]),
        (error: unknown) => reply({ type: 'failed', message: reasonOf(error) }),
      );
    });
    reply({ type: 'ready', probe });
  } catch (error) {
    reply({ type: 'unfit', message: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
