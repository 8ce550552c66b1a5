/**
 * A slice from its cursor to its end. Pages are worked on two at a time while a third is read, so that the encoder
 * has texts while the engine writes; they are settled in order, and after each the cursor is handed on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReindexDeps } from './deps.js';
import { createPageSize, DEFAULT_PAGE_LIMITS } from './page-size.js';
import { createPageWorker } from './page-worker.js';
import { stopped } from './patient-read.js';
import { scanSlice, type Page } from './scan-slice.js';
import { addCounts, type SliceCounts, type SliceProgress, type SliceRange } from './slice.js';

/** Pages worked on at once, beside the one that is read ahead. */
const PAGES_AT_ONCE = 2;
/** A checkpoint is made at least this often, also where nothing has moved: it says that the worker lives. */
const CHECKPOINT_EVERY_MS = 2_000;

interface Underway {
  readonly page: Page;
  readonly work: Promise<SliceCounts>;
}

/**
 * Works a slice off and resolves with its end. A document that fails does not end it.
 * @param checkpoint told how far all is settled, after each page and at least every two seconds, never twice at once;
 *   where it rejects (the slice is somebody else's by now), the work stops and its error is passed on
 */
export async function runSlice(
  deps: ReindexDeps,
  slice: SliceRange,
  start: SliceProgress,
  checkpoint: (progress: SliceProgress) => Promise<void>,
  signal: AbortSignal,
): Promise<SliceProgress> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const size = createPageSize(deps.pageLimits ?? DEFAULT_PAGE_LIMITS);
  const workOn = createPageWorker(deps);
  const underway: Underway[] = [];
  let progress = start;
  let lastSettled = performance.now();

  /** Waits, with checkpoints where that is long. */
  const awaited = async <T>(work: Promise<T>): Promise<T> => {
    while ((await winner(work)) === 'clock') await checkpoint(progress);
    return work;
  };
  const settleFirst = async (): Promise<void> => {
    const first = underway[0];
    if (first === undefined) return;
    const { page, work } = first;
    progress = { cursor: page.next, counts: addCounts(progress.counts, await awaited(work)) };
    underway.shift();
    const now = performance.now();
    size.took(page.documents.length, (now - lastSettled) / 1000);
    lastSettled = now;
    await checkpoint(progress);
  };

  const pages = scanSlice(deps.client, slice, start.cursor, size, both);
  try {
    for (;;) {
      const next = await awaited(pages.next());
      if (next.done === true) break;
      const page = next.value;
      const work = workOn(page.documents, both);
      // It is awaited in its turn; until then its failure is not unheard.
      work.catch(() => undefined);
      underway.push({ page, work });
      while (underway.length >= PAGES_AT_ONCE) await settleFirst();
    }
    while (underway.length > 0) await settleFirst();
    return progress;
  } catch (error) {
    throw signal.aborted ? stopped(error) : error;
  } finally {
    stop.abort();
    await Promise.allSettled([...underway.map(({ work }) => work), pages.return(undefined)]);
  }
}

/** Which comes first: the end of the work, good or bad, or the time for a checkpoint. */
async function winner(work: Promise<unknown>): Promise<'work' | 'clock'> {
  const done = new AbortController();
  const ended = work.then(
    () => 'work' as const,
    () => 'work' as const,
  );
  const clock = sleep(CHECKPOINT_EVERY_MS, 'clock' as const, { signal: done.signal }).catch(
    () => 'work' as const,
  );
  try {
    return await Promise.race([ended, clock]);
  } finally {
    done.abort();
  }
}
