/** What an answer of the Hub that is no success means to the user. Pure. */
import { TwinrankError } from '../errors.js';
import { retryAfterMs } from '../search-engine/back-off.js';
import { PassingError } from './transport.js';

/** An answer that was no success, without its body. */
export interface Refusal {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Origin of who answered. */
  readonly server: string;
  /** False where the Hub had sent us on to another host. */
  readonly fromHub: boolean;
}

/** What was asked for, in the user's words. */
export interface Asked {
  readonly repository: string;
  readonly revision: string;
  readonly file: string | null;
  readonly hasToken: boolean;
}

/** The error of an answer with status 400 and above, or one that is a page instead of a file. */
export function refusalError(refusal: Refusal, asked: Asked, now: number): TwinrankError {
  const { status, header, server, fromHub } = refusal;
  const wait = retryAfterMs(header('retry-after'), now);
  if (status === 429)
    return new PassingError('overloaded', `${server} takes no more requests for now (429).`, wait);
  if (status >= 500 || status === 408)
    return new PassingError('upstream_answer', `${server} failed (${status}).`, wait);
  // Addresses that the Hub sends us on to are signed and expire; the next try gets a new one.
  if (!fromHub) return new PassingError('upstream_answer', `${server} refused the file (${status}).`, null);
  return new TwinrankError('upstream_answer', `${server}: ${sentence(refusal, asked)}`);
}

/** The error of a web page where something else was to come. */
export function pageError(server: string, expected: string): TwinrankError {
  return new TwinrankError(
    'upstream_answer',
    `${server} answered with a web page where ${expected} was expected. Check --endpoint (HF_ENDPOINT), and whether a login page or a proxy stands before it.`,
  );
}

function sentence({ status, header }: Refusal, { repository, revision, file, hasToken }: Asked): string {
  const code = header('x-error-code');
  if (code === 'GatedRepo') {
    return hasToken
      ? `"${repository}" is open only to those who accepted its conditions. Accept them on its page, with the account of the token.`
      : `"${repository}" is open only to those who accepted its conditions. Accept them on its page, then put a token of that account into HF_TOKEN.`;
  }
  if (code === 'RevisionNotFound')
    return `"${repository}" has no revision "${revision}". Name a branch, a tag or a commit of it after the "@".`;
  if (code === 'EntryNotFound' || (status === 404 && file !== null))
    return `"${repository}" has no file "${file ?? '?'}" at revision "${revision}". The repository is incomplete; name another revision.`;
  if (status === 401 || status === 403) {
    return hasToken
      ? `access to "${repository}" is refused (${status}). The token in HF_TOKEN or in the token file is not valid, has no right to read it, or there is no such repository.`
      : `"${repository}" is private, or there is no such repository (${status}). Check its name, or put a token that may read it into HF_TOKEN.`;
  }
  if (status === 404)
    return `there is no repository "${repository}", or no revision "${revision}" in it. Check both names; if it is private, set HF_TOKEN.`;
  return `the request was refused (${status}). Check --endpoint (HF_ENDPOINT) and the name "${repository}".`;
}
