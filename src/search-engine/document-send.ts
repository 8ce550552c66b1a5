/**
 * One document over the single-document API, in the form of a bulk request. In a bulk body a line end ends the
 * document, so one whose own bytes hold line ends (as a person writes JSON) goes this way and keeps them.
 */
import { asBreak } from './bulk-send.js';
import type { BulkAnswer } from './bulk-writer.js';
import type { EngineClient } from './client.js';
import { isRecord } from './json-value.js';

const NEWLINE = 0x0a;
/** Keys of an action line that are parameters of the single-document API by the same name. */
const PARAMETERS = ['routing', 'if_seq_no', 'if_primary_term', 'version', 'version_type'] as const;

/**
 * A sender for bulk bodies of one `index` or `create` action that names its index and id.
 * @param parameters query string without "?" that every request gets
 */
export function createDocumentSend(
  client: EngineClient,
  parameters = '',
): (body: Buffer, signal: AbortSignal) => Promise<BulkAnswer> {
  return async (body, signal) => {
    const lineEnd = body.indexOf(NEWLINE);
    const action = JSON.parse(body.toString('utf8', 0, lineEnd)) as Record<string, Record<string, unknown>>;
    const [[name, metadata] = ['index', {}]] = Object.entries(action);
    const query = new URLSearchParams(parameters);
    for (const key of PARAMETERS) if (metadata[key] !== undefined) query.set(key, String(metadata[key]));
    const place = name === 'create' ? '_create' : '_doc';
    const target = `/${encodeURIComponent(String(metadata['_index']))}/${place}/${encodeURIComponent(String(metadata['_id']))}`;
    try {
      const answer = await client.request({
        method: 'PUT',
        path: `${target}?${query.toString()}`,
        body: body.subarray(lineEnd + 1, body.length - 1),
        headers: { 'content-type': 'application/json' },
        signal,
      });
      const retryAfter = answer.headers['retry-after'];
      const item = {
        status: answer.status,
        error: isRecord(answer.body) ? answer.body['error'] : answer.body,
      };
      // Refusals of the caller and of the size concern the request, all else the document.
      const asItem = ![401, 403, 413, 502, 504].includes(answer.status);
      return {
        status: asItem ? 200 : answer.status,
        body: asItem ? { items: [{ [name]: item }] } : answer.body,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      };
    } catch (error) {
      throw asBreak(error);
    }
  };
}
