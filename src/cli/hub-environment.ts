/** What the environment says of the Hub and the way to it, in the variables that its own tools read. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TwinrankError } from '../errors.js';
import type { Proxies } from '../hub/transport.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxies of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; the lower-case names win. */
export function proxiesOf(env: Environment): Proxies {
  const value = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const any = value('ALL_PROXY');
  const proxies = { http: value('HTTP_PROXY') || any, https: value('HTTPS_PROXY') || any };
  for (const [name, proxy] of Object.entries(proxies)) {
    // The address may hold a password, so it is not shown.
    if (proxy !== '' && !/^(https?|socks5?):\/\//i.test(proxy)) {
      throw new TwinrankError(
        'bad_config',
        `${name.toUpperCase()}_PROXY is not an address such as http://proxy:3128.`,
      );
    }
  }
  return { ...proxies, except: value('NO_PROXY') };
}

/** Where the token is kept that its own tools have stored. */
export function tokenPath(env: Environment, home: string = homedir()): string {
  if (env['HF_TOKEN_PATH']) return env['HF_TOKEN_PATH'];
  const cache = env['XDG_CACHE_HOME'] || join(home, '.cache');
  return join(env['HF_HOME'] || join(cache, 'huggingface'), 'token');
}

/** The token of HF_TOKEN, or of the token file, or null. It is in no message. */
export async function tokenOf(env: Environment, home: string = homedir()): Promise<string | null> {
  const isSet = (env['HF_TOKEN'] ?? '').trim() !== '';
  const path = tokenPath(env, home);
  const text = isSet ? (env['HF_TOKEN'] ?? '') : await readFile(path, 'utf8').catch(() => '');
  const token = text.trim();
  if (token === '') return null;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new TwinrankError(
    'bad_config',
    `${isSet ? 'HF_TOKEN' : path} holds no token: a token is one word of ASCII characters.`,
  );
}
