/** One bulk request over the engine client, for the bulk writer: an answer, or whether the engine may have seen it. */
import { TwinrankError } from '../errors.js';
import { BulkConnectionError } from './bulk-writer.js';
import type { BulkAnswer } from './bulk-writer.js';
import type { EngineClient } from './client.js';

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
  return async (body, signal) => {
    try {
      const answer = await client.request({ method: 'POST', path, body, headers, signal });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.status,
        body: answer.body,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      };
    } catch (error) {
      throw asBreak(error);
    }
  };
}

/** What a bulk writer is to hear of a call that got no answer. */
export function asBreak(error: unknown): unknown {
  if (!(error instanceof TwinrankError)) return error;
  if (error.code !== 'upstream_unreachable' && error.code !== 'upstream_timeout') return error;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return new BulkConnectionError(error.message, !NEVER_CONNECTED.test(cause), { cause: error });
}
