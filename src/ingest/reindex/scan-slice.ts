/** The documents of a slice, in pages, with the next page read while the last one is worked on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asTwinrankError, TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { refusal } from './expect-success.js';
import type { PageSize } from './page-size.js';
import { answerLimit, patientBytes, stopped } from './patient-read.js';
import { closePointInTime, KEEP_ALIVE, openPointInTime, type PointInTime } from './point-in-time.js';
import type { SliceRange } from './slice.js';
import { isUnreadable, readFound, type FoundPage, type StoredDocument } from './stored-document.js';

export interface Page {
  readonly documents: readonly StoredDocument[];
  /** The `_seq_no` from which the next page goes on; the slice's `to` after the last. */
  readonly next: number;
}

/** Shards that fail are asked again after this long. */
const PARTIAL_PAUSE_MS = 1_000;
const PARTIAL_TRIES = 30;

/**
 * Pages of the slice from `cursor` on. A page without documents comes only as the last. The engine's point in time
 * is let go when the generator ends, however it ends.
 * @param withSource documents with their `_source`
 */
export async function* scanSlice(
  client: EngineClient,
  slice: SliceRange,
  cursor: number,
  size: PageSize,
  signal: AbortSignal,
  withSource = true,
): AsyncGenerator<Page> {
  const stop = new AbortController();
  const reader = createReader(client, slice, withSource, AbortSignal.any([signal, stop.signal]));
  let ahead: Promise<Page> | undefined;
  try {
    ahead = cursor < slice.to ? reader.read(cursor, size) : undefined;
    while (ahead !== undefined) {
      const page: Page = await ahead;
      ahead = page.next < slice.to ? reader.read(page.next, size) : undefined;
      // Whoever stops listening here does not wait for it any more.
      ahead?.catch(() => undefined);
      yield page;
    }
  } finally {
    stop.abort();
    await ahead?.catch(() => undefined);
    await reader.close();
  }
}

interface Reader {
  read(from: number, size: PageSize): Promise<Page>;
  close(): Promise<void>;
}

function createReader(
  client: EngineClient,
  slice: SliceRange,
  withSource: boolean,
  signal: AbortSignal,
): Reader {
  const unreadable = `Shard ${slice.shard} of "${slice.index}" cannot be read from ${client.address}`;
  let pit: PointInTime | undefined;
  let isOpened = false;

  async function search(from: number, count: number, whole: boolean): Promise<FoundPage> {
    for (let tried = 0; ; tried++) {
      if (!isOpened) pit = await openIfPossible(client, slice, signal);
      isOpened = true;
      const answer = await patientBytes(
        client,
        {
          method: 'POST',
          path:
            pit === undefined
              ? `/${encodeExpression(slice.index)}/_search?preference=_shards:${slice.shard}`
              : '/_search',
          body: { ...query(slice, from, count, whole), ...(pit === undefined ? {} : pitOf(pit)) },
          signal,
        },
        answerLimit(count),
      );
      if (pit !== undefined && answer.status === 404 && tried < PARTIAL_TRIES) {
        // It was kept too long, or its node is gone. The cursor holds in another one.
        isOpened = false;
        continue;
      }
      // One shard is asked alone: where its node has just gone, the whole search fails.
      const hasFailed = answer.status === 500;
      if (answer.status !== 200 && (!hasFailed || tried >= PARTIAL_TRIES)) throw refusal(unreadable, answer);
      const found = hasFailed ? undefined : readFound(answer.body);
      if (found?.isPartial === false) {
        if (pit !== undefined && found.pitId !== undefined) pit = { ...pit, id: found.pitId };
        return found;
      }
      if (tried >= PARTIAL_TRIES)
        throw new TwinrankError('upstream_answer', `${unreadable}: it failed or ran out of time.`);
      // The engine keeps only so many of them.
      if (pit !== undefined) await closePointInTime(client, pit);
      isOpened = false;
      await sleep(PARTIAL_PAUSE_MS, undefined, { signal }).catch((error: unknown) => {
        throw stopped(error);
      });
    }
  }

  const pageOf = ({ documents }: FoundPage, count: number): Page => {
    const last = documents.at(-1);
    return { documents, next: last === undefined || documents.length < count ? slice.to : last.seqNo + 1 };
  };

  return {
    async read(from, size) {
      for (;;) {
        const count = size.now();
        try {
          const found = await search(from, count, withSource);
          size.seen(found.documents.length, bytesOf(found.documents));
          return pageOf(found, count);
        } catch (error) {
          const isTooLarge = asTwinrankError(error).code === 'body_too_large';
          if (!isTooLarge && !isUnreadable(error)) throw error;
          if (size.tooLarge()) continue;
          if (isTooLarge) throw error;
          // One document spoils the answer, as one with a comment does, which the engines take. It is only named.
          return pageOf(await search(from, 1, false), 1);
        }
      }
    },
    async close() {
      if (pit !== undefined) await closePointInTime(client, pit);
    },
  };
}

/** Undefined also where no answer came: the read that follows waits for the engine, and is right without one. */
async function openIfPossible(
  client: EngineClient,
  slice: SliceRange,
  signal: AbortSignal,
): Promise<PointInTime | undefined> {
  try {
    return await openPointInTime(client, slice.index, slice.shard, signal);
  } catch (error) {
    if (signal.aborted) throw stopped(error);
    return undefined;
  }
}

function query(
  { to }: SliceRange,
  from: number,
  count: number,
  withSource: boolean,
): Readonly<Record<string, unknown>> {
  return {
    size: count,
    query: { range: { _seq_no: { gte: from, lt: to } } },
    sort: [{ _seq_no: 'asc' }],
    seq_no_primary_term: true,
    version: true,
    track_total_hits: false,
    _source: withSource,
  };
}

function pitOf({ id }: PointInTime): Readonly<Record<string, unknown>> {
  return { pit: { id, keep_alive: KEEP_ALIVE } };
}

function bytesOf(documents: readonly StoredDocument[]): number {
  return documents.reduce((sum, { source }) => sum + (source?.length ?? 0), 0);
}
