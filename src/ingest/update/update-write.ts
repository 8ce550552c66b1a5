/** `_update` of one document: it goes on with the vector of the text that it leaves; the engine's reply is the client's. */
import { replyWhole, type Exchange } from '../../http/pass-through.js';
import type { CollectedAnswer } from '../../http/upstream.js';
import { ingestedHeader } from '../ingest-outcome.js';
import { plainReply } from '../plain-reply.js';
import { parametersOf } from '../request-parameters.js';
import { RetryWindow } from '../retry-window.js';
import { sendWrite } from '../send-write.js';
import { wholeBody, type DocumentLimits } from '../whole-body.js';
import { createCurrentReader } from './current-documents.js';
import { cameBetween, readUpdateAnswer, type MendVector } from './mend-vector.js';
import type { UpdateTarget, VectorizeUpdate } from './vectorize-update.js';

/** Handles an update. */
export async function writeUpdate(
  exchange: Exchange,
  { index, id }: { readonly index: string; readonly id: string },
  vectorizeUpdate: VectorizeUpdate,
  mend: MendVector,
  limits: DocumentLimits,
): Promise<void> {
  const body = await wholeBody(exchange, limits);
  if (body === undefined) return;
  const { request, signal } = exchange;
  const parameter = parametersOf(request.url ?? '');
  const target: UpdateTarget = { index, id, routing: parameter('routing') || undefined };
  const readCurrent = createCurrentReader(exchange);
  const done = await vectorizeUpdate(target, body, readCurrent, signal);
  const header = ingestedHeader({ [done.outcome]: 1 }, 0);
  const retry = new RetryWindow(limits.retryForMs, Date.now, limits.onRetry);
  const write = { body: done.source, isReplyRead: done.from !== undefined };
  const answer = await sendWrite(exchange, write, { retry, signal });
  if (
    done.from !== undefined &&
    isDone(answer) &&
    cameBetween(done.from, readUpdateAnswer(plainReply(answer.headers, answer.body)))
  )
    await mend(exchange, target, readCurrent, { refresh: parameter('refresh') });
  replyWhole(exchange, answer, header);
}

function isDone({ status }: CollectedAnswer): boolean {
  return status >= 200 && status < 300;
}
