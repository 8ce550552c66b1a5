/** Keys that callers show as `Authorization: Bearer KEY`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TwinrankError } from '../errors.js';

/** The keys of a key file: one a line; empty lines and those that begin with # do not count. */
export function keysOfFile(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** A check of the header; without keys everybody passes. It throws `unauthorized` and takes the same time for any wrong key. */
export function createKeyCheck(
  keys: readonly string[],
  what: 'API key' | 'admin token' = 'API key',
): (authorization: string | undefined) => void {
  const known = keys.map(digest);
  return (authorization) => {
    if (known.length === 0) return;
    const key = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (key === undefined)
      throw new TwinrankError(
        'unauthorized',
        `An ${what} is needed: send the header "Authorization: Bearer ${what === 'API key' ? 'KEY' : 'TOKEN'}".`,
      );
    const given = digest(key);
    let matches = 0;
    for (const other of known) matches += timingSafeEqual(given, other) ? 1 : 0;
    if (matches === 0) throw new TwinrankError('unauthorized', `This ${what} is not known here.`);
  };
}

/** Digests are of one length, which the comparison needs. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}
