/**
 * Where pulled bundles lie: `FOLDER/OWNER--NAME/COMMIT`, and beside them `refs`, which remembers what a branch or tag
 * stood for when it was pulled last.
 */
import { mkdir, readdir, readFile, rename, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { TwinrankError } from '../errors.js';
import { folderName, isCommit, type Reference } from './reference.js';

/** Left free for others when the room for a pull is counted. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** Folder of a commit's bundle below the cache's `root`. */
export function bundleFolder(root: string, repository: string, commit: string): string {
  return join(root, folderName(repository), commit);
}

/** Where a bundle lies while it is fetched; deeper, so that nobody who looks for bundles takes it for one. */
export function partsFolder(root: string, repository: string, commit: string): string {
  return join(root, folderName(repository), 'parts', commit);
}

/** The commit that a revision stands for without asking anybody; null where it is not known. */
export async function rememberedCommit(root: string, reference: Reference): Promise<string | null> {
  if (isCommit(reference.revision)) return reference.revision;
  const commit = await readFile(refPath(root, reference), 'utf8').catch(() => '');
  return isCommit(commit) ? commit : null;
}

/** Remembers what a branch or tag stands for. */
export async function rememberCommit(root: string, reference: Reference, commit: string): Promise<void> {
  if (isCommit(reference.revision)) return;
  const path = refPath(root, reference);
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(fresh, commit);
  await rename(fresh, path);
}

/** Names of the revisions of a repository that can be had without the network. */
export async function rememberedRevisions(root: string, repository: string): Promise<string[]> {
  const folder = join(root, folderName(repository));
  const names = [
    ...(await readdir(join(folder, 'refs')).catch(() => [])).map(decodeURIComponent),
    ...(await readdir(folder).catch(() => [])).filter(isCommit),
  ];
  return names.sort();
}

/** Throws `no_space` where `bytes` more would fill the disk of the folder, which must exist. */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  // Some file systems tell nothing; a disk that gets full is seen when it does.
  const disk = await statfs(folder).catch(() => null);
  if (disk === null || disk.bavail * disk.bsize >= bytes + SPARE_BYTES) return;
  throw new TwinrankError(
    'no_space',
    `${folder} has room for ${megabytes(disk.bavail * disk.bsize)} MB, and ${megabytes(bytes + SPARE_BYTES)} MB are needed. Free some space, or name another folder with --cache (TWINRANK_CACHE).`,
  );
}

function refPath(root: string, { repository, revision }: Reference): string {
  // A branch may have slashes in its name.
  return join(root, folderName(repository), 'refs', encodeURIComponent(revision));
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}
