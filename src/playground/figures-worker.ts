/** Thread that reads judgments and computes figures: ten thousand resamples must not hold up searches. */
import { parentPort, workerData } from 'node:worker_threads';
import { asTwinrankError } from '../errors.js';
import { figuresOf, readJudgments } from './figures.js';
import type { FiguresAnswer, FiguresTask } from './figures-thread.js';

const { kind, body } = workerData as FiguresTask;

async function work(): Promise<FiguresAnswer> {
  try {
    const given: unknown = JSON.parse(body);
    return { result: JSON.stringify(kind === 'judgments' ? readJudgments(given) : await figuresOf(given)) };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return { code: 'bad_request', message: 'The body is not JSON.' };
    const { code, message } = asTwinrankError(thrown);
    return { code, message };
  }
}

parentPort?.postMessage(await work());
