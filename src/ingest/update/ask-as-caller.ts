/** Requests of ours that belong to a caller's request: they go out under the caller's own credentials and headers. */
import { requestHeaders, without } from '../../http/header-rules.js';
import type { Exchange } from '../../http/pass-through.js';
import { collectFor } from '../../http/request-id.js';
import type { CollectedAnswer, UpstreamConnection } from '../../http/upstream.js';

/** Describe the caller's body and the answer that it wishes for; ours are JSON. */
const OF_THE_BODY = ['content-length', 'content-encoding', 'content-type', 'accept', 'accept-encoding'];

/**
 * Posts JSON and collects the answer. Throws as `collect` does.
 * @param path with its query, encoded, without the upstream's prefix
 */
export function postAsCaller(
  exchange: Exchange,
  connection: UpstreamConnection,
  path: string,
  body: Buffer,
  maxBytes: number,
): Promise<CollectedAnswer> {
  const { request, upstream, signal } = exchange;
  const theirs = requestHeaders(request.rawHeaders, upstream.host);
  const json = 'application/json';
  const headers = [...without(theirs, ...OF_THE_BODY), 'content-type', json, 'accept', json];
  const asked = { method: 'POST', path: `${upstream.prefix}${path}`, headers, body };
  return collectFor(exchange, asked, { maxBytes, signal }, connection);
}
