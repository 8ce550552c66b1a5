/** One bulk request over the engine client, for the bulk writer: an answer, or whether the engine may have seen it. */
import { TwinrankError } from '../errors.js';
import { BulkConnectionError } from './bulk-writer.js';
import type { BulkAnswer } from './bulk-writer.js';
import type { EngineClient, EngineRequest } from './client.js';

/** Failures of a connection that was never made: nothing can have been written. */
const NEVER_CONNECTED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/;

/**
 * Sends bulk bodies.
 * @param index where documents go whose action line names none; null where every line names one
 * @param parameters query string without "?", already percent-encoded
 */
export function createBulkSend(
  client: EngineClient,
  index: string | null,
  parameters = '',
): (body: Buffer, signal: AbortSignal) => Promise<BulkAnswer> {
  const query = parameters === '' ? '' : `?${parameters}`;
  const path = `${index === null ? '' : `/${encodeURIComponent(index)}`}/_bulk${query}`;
  const headers = { 'content-type': 'application/x-ndjson' };
  return (body, signal) => callForWriter(client, { method: 'POST', path, body, headers, signal });
}

/** One call for a bulk writer. Rejects with BulkConnectionError where no answer came. */
export async function callForWriter(client: EngineClient, request: EngineRequest): Promise<BulkAnswer> {
  try {
    const { status, body, headers } = await client.request(request);
    const retryAfter = headers['retry-after'];
    return { status, body, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
  } catch (error) {
    throw asBreak(error);
  }
}

function asBreak(error: unknown): unknown {
  if (!(error instanceof TwinrankError)) return error;
  if (error.code !== 'upstream_unreachable' && error.code !== 'upstream_timeout') return error;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return new BulkConnectionError(error.message, !NEVER_CONNECTED.test(cause), { cause: error });
}
