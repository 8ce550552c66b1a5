/**
 * Every request has an id. It reaches the engine as `X-Opaque-Id` with what we ask in the place of a caller who sent
 * none, so that a line in the engine's slow log leads to a line in ours. A caller's own keeps its bytes, and requests
 * that pass through are not touched.
 */
import { randomBytes } from 'node:crypto';
import { headerValue, without } from './header-rules.js';
import type { Exchange } from './pass-through.js';
import type { CollectedAnswer, UpstreamConnection, UpstreamRequest } from './upstream.js';

const ID_HEADER = 'x-opaque-id';

/** Sets the ids of this process apart from those of others. */
const PROCESS = randomBytes(5).toString('hex');
let count = 0;

/** An id that no other request has, here or in another process: visible ASCII, some 15 characters. */
export function newRequestId(): string {
  return `${PROCESS}-${(count++).toString(36)}`;
}

/** The caller's own `X-Opaque-Id`, read as UTF-8; undefined where it sent none. */
export function callersId(rawHeaders: readonly string[]): string | undefined {
  const value = headerValue(rawHeaders, ID_HEADER);
  return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
}

/**
 * Collects the answer to a request of ours that belongs to a caller's; as `collect` otherwise. What the engine echoes
 * of an id that the caller does not know is taken out of the answer's head.
 */
export async function collectFor(
  exchange: Exchange,
  request: UpstreamRequest,
  options: Parameters<UpstreamConnection['collect']>[1],
  connection: UpstreamConnection = exchange.connection,
): Promise<CollectedAnswer> {
  if (!exchange.showsId || headerValue(request.headers, ID_HEADER) !== undefined)
    return connection.collect(request, options);
  const { id } = exchange;
  const named = { ...request, headers: [...request.headers, 'X-Opaque-Id', id] };
  const answer = await connection.collect(named, options);
  return headerValue(answer.headers, ID_HEADER) === id
    ? { ...answer, headers: without(answer.headers, ID_HEADER) }
    : answer;
}
