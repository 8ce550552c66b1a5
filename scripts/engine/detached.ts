/**
 * An engine that outlives the command that started it. A small process holds its life line, and lives as long
 * as its own note in the cache: to stop the engine is to remove the note. No signal is ever sent to a process
 * id that was read from a file, since that id may belong to somebody else by then.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../project-root.js';
import { cacheFolder } from './cache-folder.js';
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
  await mkdir(cacheFolder(), { recursive: true });
  const out = openSync(join(cacheFolder(), 'detached.log'), 'w');
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
    try {
      const { title, url, port, log } = engine;
      const note: Detached = { pid: process.pid, title, url, port, log };
      await writeNote(note);
      tell({ started: note });
      while (!ending.signal.aborted && (await readNote())?.pid === process.pid) await sleep(POLL_MS);
    } finally {
      await engine.stop();
    }
    if ((await readNote())?.pid === process.pid) await rm(notePath(), { force: true });
    return 0;
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** The detached engine that runs, if one does; the note of one that has died is removed. */
export async function detachedStatus(): Promise<Detached | undefined> {
  const note = await readNote();
  if (note === undefined || (await answers(note.url))) return note;
  await rm(notePath(), { force: true });
  return undefined;
}

/** Stops the detached engine and waits until its port is closed; false when there was none. */
export async function stopDetached(): Promise<boolean> {
  const running = await detachedStatus();
  if (running === undefined) return false;
  await rm(notePath(), { force: true });
  const end = Date.now() + STOP_LIMIT_MS;
  while (await answers(running.url)) {
    if (Date.now() > end) {
      throw new Error(
        `${running.title} at ${running.url} does not stop. End its holder, process ${running.pid}.`,
      );
    }
    await sleep(POLL_MS);
  }
  return true;
}

function tell(message: Message): void {
  if (process.connected) process.send?.(message);
}

function notePath(): string {
  return join(cacheFolder(), 'detached.json');
}

async function readNote(): Promise<Detached | undefined> {
  try {
    return JSON.parse(await readFile(notePath(), 'utf8')) as Detached;
  } catch {
    return undefined;
  }
}

async function writeNote(note: Detached): Promise<void> {
  const partial = `${notePath()}.${process.pid}`;
  await writeFile(partial, `${JSON.stringify(note)}\n`);
  await rename(partial, notePath());
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
