/** The built `twinrank` program as child processes: a service until it is stopped, a command until it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT_ROOT } from '../project-root.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'src', 'cli', 'main.js');
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;

export interface RunningService {
  readonly url: string;
  /** Asks it to drain, forces it after a while. */
  stop(): Promise<void>;
}

/** Starts `twinrank ingest` or `twinrank rerank` on a free port and resolves when it listens. */
export async function startService(
  name: 'ingest' | 'rerank',
  args: readonly string[],
  signal: AbortSignal,
): Promise<RunningService> {
  signal.throwIfAborted();
  const child = spawn(
    process.execPath,
    [MAIN, name, '--listen', '127.0.0.1:0', '--log-level', 'warn', ...args],
    {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(force);
  };
  try {
    return {
      url: await addressOf(child, name, AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)])),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address in the line that a service prints when it is ready. */
async function addressOf(child: ChildProcess, name: string, signal: AbortSignal): Promise<string> {
  if (child.stdout === null) throw new Error('The service has no output to read. This is a bug.');
  const lines = createInterface({ input: child.stdout });
  const giveUp = (): void => lines.close();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for await (const line of lines) {
      const address = /listening on (http:\/\/[^\s,]+)/.exec(line)?.[1];
      if (address !== undefined) {
        child.stdout.resume();
        return address;
      }
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  signal.throwIfAborted();
  throw new Error(`twinrank ${name} ended before it listened; its own words stand above.`);
}

/** Runs a command to its end; what it prints to standard output is given back, the rest goes to the terminal. */
export async function runProgram(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly stdout: string }> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const onAbort = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  return { code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') };
}
