/** Starts the real program's services as child processes, as a user would, and stops them again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project-root.js';

/** The compiled program. */
export const PROGRAM = join(PROJECT_ROOT, 'dist/src/cli/main.js');

export interface RunningService {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Asks it to drain and waits for its end. */
  stop(): Promise<void>;
}

export interface ServiceRequest {
  readonly name: 'ingest' | 'rerank';
  readonly upstream: string;
  /** Where to listen; a free loopback port where left out. */
  readonly listen?: string;
  readonly args?: readonly string[];
  /** Told of every line that the service logs. */
  readonly onLog?: (line: string) => void;
}

/** Resolves when the service says that it listens; rejects with its last words where it ends before. */
export async function startService(request: ServiceRequest): Promise<RunningService> {
  const args = [
    PROGRAM,
    request.name,
    '--upstream',
    request.upstream,
    '--listen',
    request.listen ?? '127.0.0.1:0',
    ...(request.args ?? []),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line);
    if (tail.length > 20) tail.shift();
    request.onLog?.(line);
  });
  const ready = new Promise<{ url: string; adminUrl: string }>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /listening on (\S+), admin on (\S+)/.exec(line);
      if (match !== null) resolve({ url: match[1] ?? '', adminUrl: match[2] ?? '' });
    });
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(
      `twinrank ${request.name} ended with exit code ${String(code)} before it was ready:\n${tail.join('\n')}`,
    );
  });
  ended.catch(() => undefined);
  const addresses = await Promise.race([ready, ended]);
  return { ...addresses, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(timer);
}

/** Runs one command of the program to its end with its output on ours; rejects where it fails. */
export async function runProgram(
  args: readonly string[],
  output: 'inherit' | 'collect' = 'inherit',
): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', output === 'inherit' ? 'inherit' : 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`"twinrank ${args.join(' ')}" ended with exit code ${String(code)}.`);
  return text;
}
