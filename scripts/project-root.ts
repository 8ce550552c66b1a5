/** Where the project lies, for scripts that read files which the compiler does not copy. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the nearest package.json above this file: the same for sources and compiled scripts. */
export const PROJECT_ROOT = nearestPackage(dirname(fileURLToPath(import.meta.url)));

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('No package.json above the scripts. Run them from a checkout.');
  return nearestPackage(parent);
}
