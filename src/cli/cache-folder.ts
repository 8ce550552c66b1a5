/** Where this user's cached models and derived files lie, and what the scripts keep: engines, their logs, packages. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** TWINRANK_CACHE, or `twinrank` below XDG_CACHE_HOME or ~/.cache; the same on every platform. Need not exist. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification has relative paths ignored; an empty variable is one that is not set.
  const { TWINRANK_CACHE: own, XDG_CACHE_HOME: xdg } = env;
  if (own !== undefined && own !== '') return resolve(own);
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'twinrank');
}
