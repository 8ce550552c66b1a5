/** Where jars, logs and data of local engines are kept: the user's cache, outside the checkout. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The cache folder: `TWINRANK_CACHE`, else `twinrank` below `XDG_CACHE_HOME` or the platform's cache folder.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const own = env['TWINRANK_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg !== undefined && xdg !== '') return join(resolve(xdg), 'twinrank');
  const local = env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local !== undefined) return join(local, 'twinrank');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'twinrank');
  return join(homedir(), '.cache', 'twinrank');
}
