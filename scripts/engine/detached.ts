/**
 * Engines that outlive the command that started them. A small process holds the life line of each, and lives as long
 * as its own note in the cache, named by the port: to stop the engine is to remove the note. No signal is ever sent to a process
 * id that was read from a file, since that id may belong to somebody else by then.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { PROJECT_ROOT } from '../project-root.js';
import { startEngine, type EngineOptions } from './engine.js';

const POLL_MS = 200;
const STOP_LIMIT_MS = 30_000;

/** What the note says. `pid` is the holder's. */
export interface Detached {
  readonly pid: number;
  readonly title: string;
  readonly url: string;
  readonly port: number;
  readonly log: string;
}

type Message = { readonly progress: string } | { readonly started: Detached } | { readonly failed: string };

/** Starts the holder with the arguments of `engine start` and resolves once its engine is healthy. */
export async function startDetached(
  args: readonly string[],
  onProgress: (line: string) => void,
): Promise<Detached> {
  await mkdir(notesFolder(), { recursive: true });
  const out = openSync(join(notesFolder(), 'holders.log'), 'a');
  const script = join(PROJECT_ROOT, 'dist', 'scripts', 'engine.js');
  const words = [script, ...args.filter((word) => word !== '--detach'), '--supervise'];
  const holder = spawn(process.execPath, words, { detached: true, stdio: ['ignore', out, out, 'ipc'] });
  closeSync(out);
  return new Promise<Detached>((done, fail) => {
    holder.once('error', fail);
    holder.once('exit', (code) => fail(new Error(`The engine's holder has ended (exit code ${code}).`)));
    holder.on('message', (message: Message) => {
      if ('progress' in message) return onProgress(message.progress);
      holder.disconnect();
      holder.unref();
      if ('started' in message) done(message.started);
      else fail(new Error(message.failed));
    });
  });
}

/** Runs in the holder: the engine, until the note is gone, the engine dies or a signal comes. Returns the exit code. */
export async function superviseDetached(options: EngineOptions): Promise<number> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  // Whoever asked for the engine has left before it was there.
  const left = (): void => ending.abort();
  process.once('disconnect', left);
  const onProgress = (progress: string): void => tell({ progress });
  try {
    const engine = await startEngine({ ...options, onProgress, signal: ending.signal });
    process.off('disconnect', left);
    void engine.exited.then(() => ending.abort());
    const { title, url, port, log } = engine;
    const isOurs = async (): Promise<boolean> => (await readNote(notePath(port)))?.pid === process.pid;
    try {
      const note: Detached = { pid: process.pid, title, url, port, log };
      await writeNote(note);
      tell({ started: note });
      while (!ending.signal.aborted && (await isOurs())) await sleep(POLL_MS);
    } finally {
      await engine.stop();
    }
    if (await isOurs()) await rm(notePath(port), { force: true });
    return 0;
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** The detached engines that run, by port; notes of those that have died are removed. */
export async function detachedEngines(): Promise<Detached[]> {
  const names = await readdir(notesFolder()).catch(() => []);
  const running: Detached[] = [];
  for (const name of names.filter((one) => /^\d+\.json$/.test(one))) {
    const path = join(notesFolder(), name);
    const note = await readNote(path);
    if (note !== undefined && (await answers(note.url))) running.push(note);
    else await rm(path, { force: true });
  }
  return running.sort((a, b) => a.port - b.port);
}

/** Stops a detached engine and waits until its port is closed. */
export async function stopDetached({ pid, title, url, port }: Detached): Promise<void> {
  await rm(notePath(port), { force: true });
  const end = Date.now() + STOP_LIMIT_MS;
  while (await answers(url)) {
    if (Date.now() > end)
      throw new Error(`${title} at ${url} does not stop. End its holder, process ${pid}.`);
    await sleep(POLL_MS);
  }
}

function tell(message: Message): void {
  if (process.connected) process.send?.(message);
}

function notesFolder(): string {
  return join(cacheFolder(), 'detached');
}

function notePath(port: number): string {
  return join(notesFolder(), `${port}.json`);
}

async function readNote(path: string): Promise<Detached | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Detached;
  } catch {
    return undefined;
  }
}

async function writeNote(note: Detached): Promise<void> {
  const path = notePath(note.port);
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, `${JSON.stringify(note)}\n`);
  await rename(partial, path);
}

/** An engine too busy to answer still runs; only a closed port says that it does not. */
async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).arrayBuffer();
    return true;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    return cause?.code !== 'ECONNREFUSED';
  }
}
