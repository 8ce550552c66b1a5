/**
 * Downloads one file of a repository: what lies there from an earlier try is gone on with, what came is proved by its
 * hash, and only then it gets its name.
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TwinrankError } from '../errors.js';
import { diskTask } from './disk-task.js';
import { wrongHash } from './file-hash.js';
import type { Hub, OpenFile } from './hub-client.js';
import type { Reference } from './reference.js';
import { createRetries, type RetryDeps } from './retries.js';
import type { Hash } from './revision-info.js';
import { PassingError } from './transport.js';

const STRONG_ETAG = /^"[\x21\x23-\x7e]*"$/;

export interface WantedFile {
  readonly path: string;
  /** Null where nobody has told it. */
  readonly bytes: number | null;
  /** All must hold. */
  readonly hashes: readonly Hash[];
}

export interface DownloadDeps extends RetryDeps {
  readonly hub: Hub;
  /** Told how many bytes of the file lie on the disk. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads `wanted` into `folder`, whose `revision` should be a commit: another would be another file at the next
 * try. A file that is damaged on its way is fetched once more from its beginning. Resolves to the file's size.
 */
export async function downloadFile(
  deps: DownloadDeps,
  reference: Reference,
  wanted: WantedFile,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const path = join(folder, wanted.path);
  const there = await sizeOf(path);
  if (there > 0) {
    deps.onBytes(there);
    return there;
  }
  await diskTask(folder, () => mkdir(dirname(path), { recursive: true }));
  const part = `${path}.part`;
  for (const isLast of [false, true]) {
    const told = await fetchWhole(deps, reference, wanted, part, signal);
    const size = await sizeOf(part);
    const hashes = told === null ? wanted.hashes : [...wanted.hashes, told];
    const isSize = wanted.bytes === null || size === wanted.bytes;
    const wrong = isSize ? await wrongHash(part, hashes) : undefined;
    if (isSize && wrong === undefined) {
      await rename(part, path);
      await rm(`${part}.etag`, { force: true });
      return size;
    }
    await discardPart(part);
    deps.onBytes(0);
    const what = wrong === undefined ? `${size} bytes, not ${wanted.bytes}` : `another ${wrong.kind} hash`;
    if (isLast) throw damaged(reference, wanted.path, what);
    deps.onTrouble(`"${wanted.path}" came damaged (${what}); it is fetched once more.`);
  }
  throw damaged(reference, wanted.path, 'no bytes');
}

/** Fetches until the part is as long as it should be; gives the hash that the Hub told. */
async function fetchWhole(
  deps: DownloadDeps,
  reference: Reference,
  wanted: WantedFile,
  part: string,
  signal: AbortSignal,
): Promise<Hash | null> {
  const retries = createRetries(deps);
  let longest = await sizeOf(part);
  if (wanted.bytes !== null && longest > 0 && longest >= wanted.bytes) return null;
  for (;;) {
    try {
      return await fetchOnce(deps, reference, wanted, part, signal);
    } catch (error) {
      const size = await sizeOf(part);
      // Progress is more than there ever was: a server without ranges begins anew each time.
      if (size > longest) retries.forget();
      longest = Math.max(longest, size);
      await retries.after(error, signal);
    }
  }
}

async function fetchOnce(
  { hub, onBytes }: DownloadDeps,
  reference: Reference,
  { path, bytes }: WantedFile,
  part: string,
  signal: AbortSignal,
): Promise<Hash | null> {
  const have = await sizeOf(part);
  const etag = have === 0 ? '' : await readFile(`${part}.etag`, 'utf8').catch(() => '');
  const resume = {
    ...(have === 0 ? {} : { range: `bytes=${have}-` }),
    ...(etag === '' ? {} : { 'if-range': etag }),
  };
  const file = await hub.open(reference, path, resume, signal);
  const start = startOf(file, have);
  if (start === null) {
    file.answer.discard();
    await discardPart(part);
    throw new PassingError('upstream_answer', `${file.server} sent another part of "${path}".`, null);
  }
  const size = await diskTask(part, async () => {
    const validator = file.answer.header('etag') ?? '';
    // A weak one promises no equal bytes and is of no use in If-Range (RFC 9110 section 13.1.5).
    if (start === 0) await writeFile(`${part}.etag`, STRONG_ETAG.test(validator) ? validator : '');
    return writeBody(file, part, start, bytes ?? file.bytes ?? Number.MAX_SAFE_INTEGER, onBytes);
  });
  const expected = bytes ?? file.bytes;
  if (expected !== null && size < expected) {
    const message = `${file.server} ended "${path}" after ${size} of ${expected} bytes.`;
    throw new PassingError('upstream_unreachable', message, null);
  }
  return file.hash;
}

/** Where the bytes that come begin; null where they are of no use. */
function startOf({ answer }: OpenFile, have: number): number | null {
  if (answer.status === 200) return 0;
  const range = /^bytes (\d+)-/.exec(answer.header('content-range') ?? '');
  return answer.status === 206 && Number(range?.[1] ?? -1) === have ? have : null;
}

/** Writes what comes from `start` on, one byte more than `limit` at most; gives the size of the part. */
async function writeBody(
  { answer }: OpenFile,
  part: string,
  start: number,
  limit: number,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const file = await open(part, start === 0 ? 'w' : 'r+');
  let size = start;
  try {
    onBytes(size);
    for await (const chunk of answer.body) {
      await writeAll(file, chunk, size);
      size += chunk.length;
      onBytes(size);
      if (size > limit) break;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return size;
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}

async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.etag`, { force: true });
}

/** Bytes of a file; 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.size ?? 0;
}

function damaged({ repository, revision }: Reference, path: string, what: string): TwinrankError {
  return new TwinrankError(
    'upstream_answer',
    `"${path}" of ${repository}@${revision} came damaged twice: it has ${what}. It was deleted. Try again later or from another endpoint; a proxy on the way may change files.`,
  );
}
