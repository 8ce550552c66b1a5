/** `_update` of one document: it goes on with the vector of the text that it leaves; the engine's reply is the client's. */
import { responseHeaders } from '../../http/header-rules.js';
import { passThrough, upstreamRequest, type Exchange } from '../../http/pass-through.js';
import type { CollectedAnswer } from '../../http/upstream.js';
import { ingestedHeader } from '../ingest-outcome.js';
import { plainReply, readableReply } from '../plain-reply.js';
import { wholeBody } from '../whole-body.js';
import { createCurrentReader } from './current-documents.js';
import { cameBetween, readUpdateAnswer, type MendVector } from './mend-vector.js';
import type { UpdateTarget, VectorizeUpdate } from './vectorize-update.js';

/** An answer holds the whole document where the caller asks for its `_source`. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

/** Handles an update. A plain body above `maxBytes` passes through as it is. */
export async function writeUpdate(
  exchange: Exchange,
  { index, id }: { readonly index: string; readonly id: string },
  vectorizeUpdate: VectorizeUpdate,
  mend: MendVector,
  maxBytes: number,
): Promise<void> {
  const body = await wholeBody(exchange, maxBytes);
  if (body === undefined) return;
  const { request, response, connection, signal } = exchange;
  const parameter = parametersOf(request.url ?? '');
  const target: UpdateTarget = { index, id, routing: parameter('routing') || undefined };
  const readCurrent = createCurrentReader(exchange);
  const done = await vectorizeUpdate(target, body, readCurrent, signal);
  const header = ingestedHeader({ [done.outcome]: 1 }, 0);
  const changed = { body: done.source, bodyChanged: true };
  if (done.from === undefined) return passThrough(exchange, { ...changed, addHeaders: () => header });
  const upstream = upstreamRequest(exchange, changed);
  const answer = await connection.collect(
    { ...upstream, headers: readableReply(upstream.headers) },
    { maxBytes: MAX_ANSWER_BYTES, signal },
  );
  if (isDone(answer) && cameBetween(done.from, readUpdateAnswer(plainReply(answer.headers, answer.body))))
    await mend(exchange, target, readCurrent, { refresh: parameter('refresh') });
  response.writeHead(answer.status, answer.statusMessage, [...responseHeaders(answer.headers), ...header]);
  response.end(answer.body);
}

function isDone({ status }: CollectedAnswer): boolean {
  return status >= 200 && status < 300;
}

/** Parameters of the query string as the engine reads them: a semicolon parts them too, the last of a name counts. */
function parametersOf(target: string): (name: string) => string | undefined {
  const question = target.indexOf('?');
  const query = question === -1 ? '' : target.slice(question + 1).replaceAll(';', '&');
  const parameters = new URLSearchParams(query);
  return (name) => parameters.getAll(name).at(-1);
}
