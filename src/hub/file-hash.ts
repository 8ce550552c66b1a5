/** Hashes of files as the Hub names them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Hash, HashKind } from './revision-info.js';

/** The hash of a file, lower-case hex. */
async function hashOfFile(path: string, kind: HashKind): Promise<string> {
  const hash = createHash(kind === 'sha256' ? 'sha256' : 'sha1');
  // Git hashes a blob behind a head that tells its length.
  if (kind === 'git-sha1') hash.update(`blob ${(await stat(path)).size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** One of the hashes that the file does not have; undefined where it has them all. */
export async function wrongHash(path: string, hashes: readonly Hash[]): Promise<Hash | undefined> {
  // Manifest, list and answer often tell the same hash, and the file may be large.
  for (const kind of new Set(hashes.map((hash) => hash.kind))) {
    const hex = await hashOfFile(path, kind);
    const wrong = hashes.find((hash) => hash.kind === kind && hash.hex !== hex);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
