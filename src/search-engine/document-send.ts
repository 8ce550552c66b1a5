/**
 * One document over the single-document API, in the form of a bulk request. In a bulk body a line end ends the
 * document, so one whose own bytes hold line ends (as a person writes JSON) goes this way and keeps them.
 */
import { callForWriter } from './bulk-send.js';
import type { BulkAnswer } from './bulk-writer.js';
import type { EngineClient } from './client.js';
import { isRecord } from './json-value.js';

const NEWLINE = 0x0a;
/** Keys of an action line that are parameters of the single-document API by the same name. */
const PARAMETERS = ['routing', 'if_seq_no', 'if_primary_term', 'version', 'version_type'] as const;

/** Refusals of the caller and of the size concern the request, all else the document. */
const OF_THE_REQUEST: ReadonlySet<number> = new Set([401, 403, 413, 502, 504]);

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
    const answer = await callForWriter(client, {
      method: 'PUT',
      path: `${target}?${query.toString()}`,
      body: body.subarray(lineEnd + 1, body.length - 1),
      headers: { 'content-type': 'application/json' },
      signal,
    });
    if (OF_THE_REQUEST.has(answer.status)) return answer;
    const error = isRecord(answer.body) ? answer.body['error'] : answer.body;
    return { ...answer, status: 200, body: { items: [{ [name]: { status: answer.status, error } }] } };
  };
}
