/** The folder that a bundle is fetched into: one process at a time, dead ones are not waited for, full disks are told. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { diskTask } from '../../../src/hub/disk-task.js';
import { withLock } from '../../../src/hub/folder-lock.js';

describe('a full disk', () => {
  it('is told with what to do', { skip: process.platform !== 'linux' }, async () => {
    await assert.rejects(
      diskTask('/dev/full', () => writeFile('/dev/full', 'x')),
      { code: 'no_space', message: /disk of \/dev\/full is full.*--cache/ },
    );
  });
});

describe('the lock of a folder', () => {
  const own = async (task: (path: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'twinrank-lock-'));
    try {
      await task(join(folder, 'a.lock'));
      assert.deepEqual(await readdir(folder), []);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const never = new AbortController().signal;
  const options = { staleMs: 60_000, everyMs: 10, onWait: () => undefined };

  it('lets tasks run one after another, and is gone when they have ended', () =>
    own(async (path) => {
      let inside = 0;
      let most = 0;
      const task = async (): Promise<void> => {
        most = Math.max(most, ++inside);
        await stat(path);
        inside--;
      };
      await Promise.all(Array.from({ length: 8 }, () => withLock(path, options, never, task)));
      assert.equal(most, 1);
    }));

  it('is given back when the task fails', () =>
    own(async (path) => {
      await assert.rejects(
        withLock(path, options, never, () => Promise.reject(new Error('failed'))),
        /failed/,
      );
    }));

  it('of a holder who shows signs of life is waited for', () =>
    own(async (path) => {
      await writeFile(path, JSON.stringify({ host: 'elsewhere', pid: 1 }));
      let touches = 0;
      // Time passes by touches: thirty of them are three times what a dead holder gets.
      const now = (): number => touches * 100;
      const touch = setInterval(() => {
        utimes(path, new Date(), new Date(1000 * touches)).then(
          () => (++touches === 30 ? rm(path) : undefined),
          () => undefined,
        );
      }, 20);
      await withLock(path, { ...options, staleMs: 1_000, now }, never, () => {
        assert.ok(touches >= 30);
        return Promise.resolve();
      });
      clearInterval(touch);
    }));

  it('that somebody else has taken over stops the task', () =>
    own(async (path) => {
      await assert.rejects(
        withLock(path, options, never, async (signal) => {
          await writeFile(path, 'another');
          await new Promise((resolve) => {
            signal.addEventListener('abort', resolve, { once: true });
          });
          signal.throwIfAborted();
        }),
        { code: 'job_conflict', message: /has taken .*a\.lock over/ },
      );
      await rm(path);
    }));

  it('is not waited for after an interruption', () =>
    own(async (path) => {
      await writeFile(path, '');
      const stop = new AbortController();
      const onWait = (): void => stop.abort();
      await assert.rejects(
        withLock(path, { ...options, onWait }, stop.signal, () => Promise.resolve()),
        { code: 'cancelled' },
      );
      await rm(path);
    }));
});
