/**
 * Lets one process at a time work on a folder, over a lock file beside it. Clocks are not compared: a holder touches its
 * file, and one that is seen not to for some time by the clock of the one who waits is taken for dead.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';
import { diskTask } from './disk-task.js';

export interface LockOptions {
  /** Milliseconds without a sign of life after which the holder is taken for dead. */
  readonly staleMs: number;
  /** How often the holder shows that it lives, and those who wait look. */
  readonly everyMs: number;
  /** Called once when somebody else holds the lock. */
  readonly onWait: () => void;
  readonly now?: () => number;
}

/** Runs the task while holding `path`. The task's signal fires too when the lock was lost. */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const mine = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    token: randomBytes(8).toString('hex'),
  });
  await diskTask(dirname(path), async () => {
    await mkdir(dirname(path), { recursive: true });
    await acquire(path, mine, options, signal);
  });
  const lost = new AbortController();
  const timer = setInterval(() => {
    showLife(path, mine).catch(() => {
      lost.abort(
        new TwinrankError('job_conflict', `Another process has taken ${path} over. Run the command again.`),
      );
    });
  }, options.everyMs);
  try {
    return await task(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    if ((await contentOf(path)) === mine) await rm(path, { force: true });
  }
}

async function acquire(
  path: string,
  mine: string,
  { staleMs, everyMs, onWait, now = performance.now.bind(performance) }: LockOptions,
  signal: AbortSignal,
): Promise<void> {
  let seen: string | undefined;
  let seenAt = 0;
  for (;;) {
    if (await create(path, mine)) return;
    const holder = await contentOf(path);
    if (holder === null) continue;
    const sign = `${holder} ${(await stat(path).catch(() => null))?.mtimeMs}`;
    if (seen === undefined) onWait();
    if (sign !== seen) [seen, seenAt] = [sign, now()];
    if (isDead(holder) || now() - seenAt > staleMs) {
      await takeAway(path, holder);
      continue;
    }
    await delay(everyMs, undefined, { signal }).catch((error: unknown) => {
      throw new TwinrankError('cancelled', 'Interrupted while another process works on the same.', {
        cause: error,
      });
    });
  }
}

async function create(path: string, mine: string): Promise<boolean> {
  try {
    await writeFile(path, mine, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a dead holder; one that somebody else has just taken is put back. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await contentOf(aside)) !== holder) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** True where the holder was a process of this machine that is no more. */
function isDead(holder: string): boolean {
  const { host, pid } = parsed(holder);
  // The own number may be that of a process that had it before, as in a container: only silence tells.
  if (host !== hostname() || typeof pid !== 'number' || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function parsed(holder: string): { readonly host?: unknown; readonly pid?: unknown } {
  try {
    return (JSON.parse(holder) ?? {}) as object;
  } catch {
    // It is being written.
    return {};
  }
}

async function showLife(path: string, mine: string): Promise<void> {
  if ((await readFile(path, 'utf8')) !== mine) throw new Error('the lock is not ours any more');
  const now = new Date();
  await utimes(path, now, now);
}

async function contentOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
