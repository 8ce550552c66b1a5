/** Calls whose failure is a finding instead of an end. */
import { asTwinrankError, type TwinrankError } from '../../errors.js';
import {
  reasonOf,
  type EngineAnswer,
  type EngineClient,
  type EngineRequest,
} from '../../search-engine/client.js';
import { isRecord } from '../../search-engine/json-value.js';

/** An answer with its time in milliseconds, or why there was none. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: EngineAnswer; readonly ms: number }
  | { readonly kind: 'failure'; readonly error: TwinrankError };

/** Makes a call. Rejects with `cancelled` alone, when the user has stopped the program. */
export async function ask(client: EngineClient, request: EngineRequest): Promise<Reply> {
  const begun = performance.now();
  try {
    return { kind: 'answer', answer: await client.request(request), ms: performance.now() - begun };
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    if (error.code === 'cancelled') throw error;
    return { kind: 'failure', error };
  }
}

/** Makes a GET call. */
export function get(client: EngineClient, path: string, signal: AbortSignal): Promise<Reply> {
  return ask(client, { method: 'GET', path, signal });
}

/** The body of an answer of status 200; undefined for all else. */
export function bodyOf(reply: Reply): unknown {
  return reply.kind === 'answer' && reply.answer.status === 200 ? reply.answer.body : undefined;
}

/** 0 where there was no answer. */
export function statusOf(reply: Reply): number {
  return reply.kind === 'answer' ? reply.answer.status : 0;
}

/** Why a call did not give what was wanted, in the other side's own words. */
export function whyOf(reply: Reply): string {
  return reply.kind === 'answer' ? reasonOf(reply.answer) : reply.error.message;
}

/** The engine knows the caller, but does not let it; a block on an index has the same status. */
export function isForbidden(reply: Reply): boolean {
  if (statusOf(reply) !== 403 || reply.kind !== 'answer') return false;
  const { body } = reply.answer;
  const error = isRecord(body) ? body['error'] : undefined;
  return !isRecord(error) || error['type'] !== 'cluster_block_exception';
}
