/**
 * Where the bundles that come with the package lie. The compiled file is dist/src/model/default-bundle.js, so
 * the package's models folder is three levels up, in a checkout and in an installed package alike.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODELS = fileURLToPath(new URL('../../../models', import.meta.url));

/** Folder of the bundle that is used when none is named. */
export function defaultBundleFolder(): string {
  return join(MODELS, 'zh-en-small');
}

/** Absolute folders under `models` that hold a manifest, by name; empty where there is no such folder. */
export async function listBundles(models: string = MODELS): Promise<string[]> {
  const names = await readdir(models).catch(() => []);
  const folders: string[] = [];
  for (const name of names.sort()) {
    const manifest = await stat(join(models, name, 'manifest.json')).catch(() => null);
    if (manifest?.isFile() === true) folders.push(join(models, name));
  }
  return folders;
}
