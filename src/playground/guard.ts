/**
 * Who may call the playground: a page of another site must not act through the browser of somebody who can reach
 * the admin port. Other sites' requests are told by what browsers say of them, and DNS rebinding by the Host header.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackName } from '../http/loopback.js';

export interface GuardOptions {
  /** The admin port listens on a loopback address, so that only loopback names can be meant. */
  readonly loopbackOnly: boolean;
}

/** Why a request for a file of the page is refused; undefined where it is not. */
export function pageRefusal(
  headers: IncomingHttpHeaders,
  { loopbackOnly }: GuardOptions,
): string | undefined {
  if (!loopbackOnly || isLoopbackName(hostName(headers.host))) return undefined;
  return (
    'The admin port listens on loopback and answers the playground under loopback names only, such as ' +
    '127.0.0.1 or localhost. Open it there, through an SSH tunnel if need be, or let --admin listen elsewhere.'
  );
}

/** Why a call of the page's is refused; undefined where it is not. */
export function callRefusal(
  method: string,
  headers: IncomingHttpHeaders,
  options: GuardOptions,
): string | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return 'The playground takes no calls from other sites.';
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return 'The playground takes no calls from other sites.';
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return 'The playground takes application/json only.';
  return pageRefusal(headers, options);
}

function hostName(host: string | undefined): string {
  return (host ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
}
