/** The built program as a process of its own, to be stopped and killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from '../../../scripts/services.js';
import type { Ran } from './captured-io.js';

export interface CliProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended; `code` is -1 where a signal killed it. */
  readonly ended: Promise<Ran>;
}

/** Starts the program. */
export function startCli(args: readonly string[]): CliProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({
    code: typeof code === 'number' ? code : -1,
    stdout: out.join(''),
    stderr: err.join(''),
  }));
  return { child, ended };
}
