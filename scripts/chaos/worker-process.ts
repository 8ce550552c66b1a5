/** A worker of a reindex as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { PROJECT_ROOT } from '../project-root.js';
import { PROGRAM } from '../services.js';

const KEPT_CHARACTERS = 1_000;

export interface WorkerEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** The end of what it said. */
  readonly lastWords: string;
}

export interface WorkerProcess {
  readonly ended: Promise<WorkerEnd>;
  /** Ends it at once (SIGKILL). False where it had ended before. */
  kill(): boolean;
}

/** @param log descriptor of the open file that gets all it says */
export function startWorker(args: readonly string[], log: number): WorkerProcess {
  const child = spawn(process.execPath, [PROGRAM, 'reindex', ...args], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let lastWords = '';
  const hear = (chunk: Buffer): void => {
    writeSync(log, chunk);
    lastWords = `${lastWords}${chunk.toString('utf8')}`.slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return {
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, lastWords })),
    kill: () => child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'),
  };
}
