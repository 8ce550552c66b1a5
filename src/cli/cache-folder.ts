/** Where this user's cached models and derived files lie. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** TWINRANK_CACHE, or `twinrank` below XDG_CACHE_HOME or ~/.cache. Need not exist. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification has relative paths ignored; an empty variable is one that is not set.
  const { TWINRANK_CACHE: own, XDG_CACHE_HOME: xdg } = env;
  if (own !== undefined && own !== '') return own;
  return join(xdg?.startsWith('/') === true ? xdg : join(homedir(), '.cache'), 'twinrank');
}
