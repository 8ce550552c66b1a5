/** Which compiled test files a run takes. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** Compiled tests below the folders whose path contains one of the filters; all of them without a filter. */
export async function testFiles(
  root: string,
  folders: readonly string[],
  filters: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    found.push(
      ...entries.filter((name) => name.endsWith('.test.js')).map((name) => join(root, folder, name)),
    );
  }
  const wanted = filters.map(comparable);
  const fits = (file: string): boolean => {
    const path = comparable(relative(root, file));
    return wanted.length === 0 || wanted.some((filter) => path.includes(filter));
  };
  return found.filter(fits).sort();
}

/** A filter may name the source, the compiled file or a part of either. */
function comparable(path: string): string {
  return path
    .split(sep)
    .join('/')
    .replace(/^(\.\/)?(dist\/)?/, '')
    .replace(/\.[jt]s$/, '');
}
