/** One folder in the cache per engine that runs: its log, its port file and, unless the caller has one, its data. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const KEEP_LOGS_MS = 24 * 60 * 60_000;

export interface RunFolder {
  readonly path: string;
  readonly home: string;
  readonly log: string;
  readonly portFile: string;
}

/** Makes a run folder that is named for this process, and clears away what dead processes left. */
export async function makeRunFolder(cache: string): Promise<RunFolder> {
  const runs = join(cache, 'runs');
  await mkdir(runs, { recursive: true });
  await sweep(runs);
  const path = await mkdtemp(join(runs, `${hostname()}-${process.pid}-`));
  const home = join(path, 'home');
  await mkdir(home);
  return { path, home, log: join(path, 'engine.log'), portFile: join(path, 'http.port') };
}

/** Removes the data of a run; the log stays for a day. */
export async function clearRunFolder(folder: RunFolder): Promise<void> {
  await rm(folder.home, { recursive: true, force: true, maxRetries: 3 });
}

/** The last lines of a log for an error message, without Java's stack frames, which would leave room for little else. */
export async function lastLines(log: string, count = 25): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+(at |\.\.\. \d+ more)/.test(line));
  return lines.slice(-count).join('\n');
}

async function sweep(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    // Other hosts may share the cache, and their process ids mean nothing here.
    const owner = name.startsWith(`${hostname()}-`)
      ? /^(\d+)-/.exec(name.slice(hostname().length + 1))
      : null;
    if (owner === null || isAlive(Number(owner[1]))) continue;
    const path = join(runs, name);
    await rm(join(path, 'home'), { recursive: true, force: true }).catch(() => undefined);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > KEEP_LOGS_MS) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
