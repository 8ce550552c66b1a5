/**
 * Where the bundles that come with the package lie. The compiled file is dist/src/model/default-bundle.js, so
 * the package's models folder is three levels up, in a checkout and in an installed package alike.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODELS = fileURLToPath(new URL('../../../models', import.meta.url));

/** Folder of the bundle that is used when none is named. */
export function defaultBundleFolder(): string {
  return join(MODELS, 'zh-en-small');
}

/**
 * Absolute folders that hold a manifest, in `models` or one folder deeper (pulled bundles lie by revision), by
 * name; empty where there is no such folder.
 */
export async function listBundles(models: string = MODELS): Promise<string[]> {
  const folders: string[] = [];
  for (const folder of await foldersIn(resolve(models))) {
    if (await hasManifest(folder)) folders.push(folder);
    else for (const inner of await foldersIn(folder)) if (await hasManifest(inner)) folders.push(inner);
  }
  return folders;
}

async function foldersIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().map((name) => join(folder, name));
}

async function hasManifest(folder: string): Promise<boolean> {
  const found = await stat(join(folder, 'manifest.json')).catch(() => null);
  return found?.isFile() === true;
}
