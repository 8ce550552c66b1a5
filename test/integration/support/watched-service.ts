/** The program's services as child processes whose log is kept, to look for what must not be in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROJECT_ROOT } from '../../../scripts/project-root.js';
import { PROGRAM } from '../../../scripts/services.js';

const START_LIMIT_MS = 60_000;

export interface WatchedService {
  readonly url: string;
  /** All that it has written so far, on both of its outputs. */
  written(): string;
  stop(): Promise<void>;
}

/** Starts `twinrank NAME` on a free port, with the upstream in its environment; rejects where it ends instead. */
export async function startWatched(
  name: 'ingest' | 'rerank',
  upstream: string,
  args: readonly string[],
): Promise<WatchedService> {
  const child = spawn(process.execPath, [PROGRAM, name, '--listen', '127.0.0.1:0', ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, TWINRANK_UPSTREAM: upstream },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  const listening = new Promise<string>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const match = /listening on (http:\/\/[^\s,]+)/.exec(text);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    void exited.then(() => reject(new Error(`twinrank ${name} has ended: ${text}`)));
    setTimeout(() => reject(new Error(`twinrank ${name} does not listen: ${text}`)), START_LIMIT_MS).unref();
  });
  try {
    return { url: await listening, written: () => text, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
