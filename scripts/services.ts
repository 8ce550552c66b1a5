/** The built `twinrank` program as child processes: a service until it is stopped, a command until it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT_ROOT } from './project-root.js';

/** Preloaded into a service, lets signals break its inference workers; see there. */
export const WORKER_FAULTS = new URL('./soak/worker-faults.js', import.meta.url).href;
/** The built program, to be run by node. */
export const PROGRAM = join(PROJECT_ROOT, 'dist', 'src', 'cli', 'main.js');
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;

export interface RunningService {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Its exit code when it has ended; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to drain, forces it after a while. */
  stop(limitMs?: number): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/**
 * Starts `twinrank ingest` or `twinrank rerank`, on a free loopback port unless the arguments say otherwise, and
 * resolves when it listens. Its log goes to our standard error, or to the open file of that descriptor. Rejects
 * where it ends before or takes too long. `preload` is a module that runs in the process before the program does.
 */
export async function startService(
  name: 'ingest' | 'rerank',
  args: readonly string[],
  signal: AbortSignal,
  log: number | 'inherit' = 'inherit',
  preload?: string,
): Promise<RunningService> {
  signal.throwIfAborted();
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const level = args.includes('--log-level') ? [] : ['--log-level', 'warn'];
  const child = spawn(
    process.execPath,
    [...(preload === undefined ? [] : ['--import', preload]), PROGRAM, name, ...listen, ...level, ...args],
    {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'pipe', log],
    },
  );
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const stop = (limitMs?: number): Promise<void> => stopChild(child, 'SIGTERM', limitMs);
  const kill = (): Promise<void> => stopChild(child, 'SIGKILL');
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
    return { ...(await addressesOf(child, name, limit)), pid: child.pid ?? 0, ended, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopChild(
  child: ChildProcess,
  signal: 'SIGTERM' | 'SIGKILL',
  limitMs = STOP_LIMIT_MS,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), limitMs);
  await exited;
  clearTimeout(force);
}

/** The addresses in the line that a service prints when it is ready. */
async function addressesOf(
  child: ChildProcess,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly url: string; readonly adminUrl: string }> {
  if (child.stdout === null) throw new Error('The service has no output to read. This is a bug.');
  const lines = createInterface({ input: child.stdout });
  const giveUp = (): void => lines.close();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for await (const line of lines) {
      const match = /listening on (https?:\/\/[^\s,]+), admin on (http:\/\/[^\s,]+)/.exec(line);
      if (match !== null) {
        child.stdout.resume();
        return { url: match[1] ?? '', adminUrl: match[2] ?? '' };
      }
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  signal.throwIfAborted();
  throw new Error(`twinrank ${name} ended before it listened; its own words stand above.`);
}

/** Starts a command and leaves it to the caller; see {@link runProgram} for its output. */
export function startProgram(args: readonly string[], output: 'show' | 'collect'): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', output === 'show' ? 'inherit' : 'pipe', 'inherit'],
  });
}

/**
 * Runs a command to its end. `show` puts its output on ours, `collect` gives it back; its errors go to our
 * standard error either way.
 */
export async function runProgram(
  args: readonly string[],
  output: 'show' | 'collect',
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly stdout: string }> {
  signal.throwIfAborted();
  const child = startProgram(args, output);
  const onAbort = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  return { code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') };
}

/** As {@link runProgram}, where anything but success is an error. */
export async function mustSucceed(
  args: readonly string[],
  output: 'show' | 'collect',
  signal: AbortSignal,
): Promise<string> {
  const { code, stdout } = await runProgram(args, output, signal);
  if (code !== 0)
    throw new Error(`"twinrank ${args.join(' ')}" ended with exit code ${code}; its own words stand above.`);
  return stdout;
}
