/** Brings a bundle from the Hub into the cache: only the files that its manifest names, each proved, then all at once. */
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { assembleBundle, loadBundle, type Bundle } from '../model/bundle.js';
import { badRepository, wantedFiles, MANIFEST, wantedManifest } from './bundle-files.js';
import { diskTask } from './disk-task.js';
import { downloadFile, sizeOf, type WantedFile } from './download.js';
import { withLock, type LockOptions } from './folder-lock.js';
import type { Hub } from './hub-client.js';
import {
  bundleFolder,
  partsFolder,
  rememberCommit,
  rememberedCommit,
  rememberedRevisions,
  requireRoom,
} from './model-cache.js';
import { isCommit, type Reference } from './reference.js';
import type { RetryDeps } from './retries.js';
import type { RevisionInfo } from './revision-info.js';

export interface PullDeps extends RetryDeps {
  /** Folder of all pulled bundles. */
  readonly root: string;
  readonly lock: Omit<LockOptions, 'onWait'>;
  /** Told the bytes on the disk and those of the whole bundle, again and again. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface Pulled {
  readonly bundle: Bundle;
  readonly commit: string;
  /** Files of this commit that were fetched; 0 where the bundle was there already. */
  readonly fetched: number;
}

/** Pulls a bundle; one that is in the cache is verified and given back. */
export async function pullBundle(
  deps: PullDeps,
  hub: Hub,
  reference: Reference,
  signal: AbortSignal,
): Promise<Pulled> {
  // A commit is the same for ever, so what lies there needs no network.
  if (isCommit(reference.revision)) {
    const bundle = await wholeBundle(bundleFolder(deps.root, reference.repository, reference.revision));
    if (bundle !== null) return { bundle, commit: reference.revision, fetched: 0 };
  }
  const info = await hub.revision(reference, signal).catch(async (error: unknown) => {
    throw await withCachedCopy(error, deps.root, reference);
  });
  const { commit } = info;
  const folder = bundleFolder(deps.root, reference.repository, commit);
  const onWait = (): void => {
    deps.onTrouble('another process pulls the same bundle.');
  };
  return withLock(`${folder}.lock`, { ...deps.lock, onWait }, signal, async (held) => {
    const bundle = await wholeBundle(folder);
    // A folder that is there and not whole was damaged since it was pulled.
    if (bundle === null) await rm(folder, { recursive: true, force: true });
    const pulled =
      bundle === null
        ? await fetchFiles(deps, hub, info, { ...reference, revision: commit }, folder, held)
        : { bundle, commit, fetched: 0 };
    await rememberCommit(deps.root, reference, commit);
    return pulled;
  });
}

/** The bundle in the cache, without the network. Throws `bad_bundle` where it was not pulled before. */
export async function cachedBundle(root: string, reference: Reference): Promise<Pulled> {
  const commit = await rememberedCommit(root, reference);
  const folder = commit === null ? null : bundleFolder(root, reference.repository, commit);
  if (commit !== null && folder !== null && (await isThere(folder)))
    return { bundle: await loadBundle(folder), commit, fetched: 0 };
  const others = await rememberedRevisions(root, reference.repository);
  const known = others.length === 0 ? 'no revision of it is' : `these are: ${others.join(', ')}`;
  throw badRepository(
    reference,
    `this is not in the cache ${root} (${known}), and the network is not used with --offline (HF_HUB_OFFLINE). Pull it once with the network.`,
  );
}

/** Fetches what the manifest of a commit names, and gives it the name `folder` when it is whole. */
async function fetchFiles(
  deps: PullDeps,
  hub: Hub,
  info: RevisionInfo,
  reference: Reference,
  folder: string,
  signal: AbortSignal,
): Promise<Pulled> {
  const staging = partsFolder(deps.root, reference.repository, reference.revision);
  let total = 0;
  let before = 0;
  const fetch = async (file: WantedFile): Promise<void> => {
    const onBytes = (bytes: number): void => {
      deps.onProgress(before + bytes, total);
    };
    before += await downloadFile({ ...deps, hub, onBytes }, reference, file, staging, signal);
  };
  await diskTask(staging, () => mkdir(staging, { recursive: true }));
  const manifest = wantedManifest(info, reference);
  await fetch(manifest);
  const files = wantedFiles(await readManifest(staging, reference), info, reference);
  total = files.reduce((sum, { bytes }) => sum + (bytes ?? 0), before);
  await requireRoom(staging, total - (await bytesThere(staging, [manifest, ...files])));
  for (const file of files) await fetch(file);
  const proved = await loadBundle(staging).catch(async (error: unknown) => {
    // Every file is what the Hub has, so fetching them again would not help.
    await rm(staging, { recursive: true, force: true });
    const { message } = asTwinrankError(error);
    throw badRepository(
      reference,
      `what was fetched is not a usable bundle and was deleted. ${message}`,
      error,
    );
  });
  await rename(staging, folder);
  const bundle = await assembleBundle(resolve(folder), proved.manifest);
  return { bundle, commit: info.commit, fetched: files.length + 1 };
}

async function readManifest(folder: string, reference: Reference): Promise<unknown> {
  const text = await readFile(join(folder, MANIFEST), 'utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRepository(reference, `its ${MANIFEST} is not valid JSON. Name another revision.`, error);
  }
}

async function bytesThere(folder: string, files: readonly WantedFile[]): Promise<number> {
  let sum = 0;
  for (const { path } of files) {
    for (const name of [path, `${path}.part`]) {
      sum += await sizeOf(join(folder, name));
    }
  }
  return sum;
}

/** The bundle in a folder, or null where it is not whole or not there. */
async function wholeBundle(folder: string): Promise<Bundle | null> {
  return loadBundle(folder).catch(() => null);
}

async function isThere(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => null)) !== null;
}

/** The error of a Hub that cannot be asked, which says where there is a copy. */
async function withCachedCopy(error: unknown, root: string, reference: Reference): Promise<unknown> {
  const { code, message } = asTwinrankError(error);
  if (code !== 'upstream_unreachable' && code !== 'upstream_timeout') return error;
  const commit = await rememberedCommit(root, reference);
  if (commit === null || !(await isThere(bundleFolder(root, reference.repository, commit)))) return error;
  return new TwinrankError(
    code,
    `${message} The copy that was pulled before is given with --offline (HF_HUB_OFFLINE=1).`,
    { cause: error },
  );
}
