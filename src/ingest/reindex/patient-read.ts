/** Reads that outlast an engine that is busy or restarts: they change nothing, so they may be asked again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asTwinrankError, TwinrankError } from '../../errors.js';
import { delayBefore, retryAfterMs, type BackOff } from '../../search-engine/back-off.js';
import type { EngineAnswer, EngineBytes, EngineClient, EngineRequest } from '../../search-engine/client.js';

/** Outlasts the restart of a node: about two minutes in all. */
export const RESTART_BACK_OFF: BackOff = { retries: 14, firstDelay: 250, maxDelay: 20_000 };

const MAX_ANSWER_BYTES = 32_000_000;
/** A single document may be this large: more than the engines take in one request. */
const MAX_DOCUMENT_ANSWER_BYTES = 512_000_000;

/** Bytes that an answer of so many documents may have; a larger one is asked again in halves. */
export function answerLimit(documents: number): number {
  return documents === 1 ? MAX_DOCUMENT_ANSWER_BYTES : MAX_ANSWER_BYTES;
}

const FOR_NOW: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Code for an answer that is no success: one that may pass by itself is told from one that will not. */
export function refusalCode(status: number): 'not_ready' | 'upstream_answer' {
  return FOR_NOW.has(status) ? 'not_ready' : 'upstream_answer';
}

const NO_ANSWER: ReadonlySet<string> = new Set(['upstream_unreachable', 'upstream_timeout']);

/** An answer that is not one of being busy, or the last of these. Throws what the client throws. */
export function patientRead(
  client: EngineClient,
  request: EngineRequest & { readonly signal: AbortSignal },
): Promise<EngineAnswer> {
  return patiently(() => client.request(request), request.signal);
}

/** As {@link patientRead}, with the answer's own bytes. */
export function patientBytes(
  client: EngineClient,
  request: EngineRequest & { readonly signal: AbortSignal },
  maxBytes: number,
): Promise<EngineBytes> {
  return patiently(() => client.bytes(request, maxBytes), request.signal);
}

async function patiently<T extends EngineAnswer | EngineBytes>(
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    let retryAfter: number | null = null;
    try {
      const answer = await ask();
      if (!FOR_NOW.has(answer.status) || retry >= RESTART_BACK_OFF.retries) return answer;
      const header = answer.headers['retry-after'];
      retryAfter = retryAfterMs(typeof header === 'string' ? header : undefined, Date.now());
    } catch (error) {
      if (signal.aborted) throw stopped(error);
      if (!NO_ANSWER.has(asTwinrankError(error).code) || retry >= RESTART_BACK_OFF.retries) throw error;
    }
    const delay = delayBefore(retry, retryAfter, RESTART_BACK_OFF, Math.random);
    await sleep(delay, undefined, { signal }).catch((error: unknown) => {
      throw stopped(error);
    });
  }
}

/** The work was ended from outside. */
export function stopped(cause?: unknown): TwinrankError {
  if (cause instanceof TwinrankError && cause.code === 'cancelled') return cause;
  return new TwinrankError('cancelled', 'The reindex was stopped before its end.', { cause });
}
