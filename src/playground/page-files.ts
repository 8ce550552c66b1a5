/**
 * The page's files, as they lie in the package. The compiled file is dist/src/playground/page-files.js, so the
 * package's playground folder is three levels up, in a checkout and in an installed package alike.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../playground', import.meta.url));

/** Other files of the folder, such as the type checker's settings, are not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** All files by name, read once: they are small, and no path from outside ever reaches the disk. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await readdir(FOLDER)) {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(name, { type, bytes: await readFile(join(FOLDER, name)) });
  }
  return files;
}
