/**
 * Sends a write to the engine and, where it is certain that nothing of it was carried out, sends it again: after a
 * refusal for now (429), and after a connection that broke before the request had been handed over whole. What the
 * engine may have carried out is never sent twice: then the caller hears that it may have been written.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';
import { headerValue } from '../http/header-rules.js';
import { upstreamRequest, type Exchange } from '../http/pass-through.js';
import { collectFor } from '../http/request-id.js';
import { UpstreamError, type CollectedAnswer } from '../http/upstream.js';
import { retryAfterMs } from '../search-engine/back-off.js';
import { isClusterBlock } from './cluster-block.js';
import { readableReply } from './plain-reply.js';
import type { RetryWindow } from './retry-window.js';

/** A write as it goes upstream, with the method, path and headers of the client's request. */
export interface WriteRequest {
  readonly body: Buffer;
  /** The reply must come in a coding that can be undone here. */
  readonly isReplyRead?: boolean;
}

export interface SendWriteOptions {
  /** How long to go on trying; shared by the requests that one client's request becomes. */
  readonly retry: RetryWindow;
  readonly signal: AbortSignal;
}

/** Answers to writes are short; a bulk of many items gives some megabytes. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** Pieces in which a body is handed over, so that it is known whether its end has left. */
const CHUNK_BYTES = 128 * 1024;

/**
 * The engine's answer, whatever its status. Throws `cancelled` when the signal fires, `upstream_unreachable` or
 * `upstream_timeout` where no answer came; the message says whether something may have been written.
 */
export async function sendWrite(
  exchange: Exchange,
  request: WriteRequest,
  { retry, signal }: SendWriteOptions,
): Promise<CollectedAnswer> {
  const chunks = chunksOf(request.body);
  for (;;) {
    const outcome = await attempt(exchange, request, chunks, signal);
    const wait = outcome.again
      ? retry.next(outcome.answer === undefined ? null : retryAfter(outcome.answer))
      : undefined;
    if (wait !== undefined) await pause(wait, signal);
    else if (outcome.answer === undefined) throw outcome.error;
    else return outcome.answer;
  }
}

/** Waits, and throws `cancelled` when the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    throw new TwinrankError('cancelled', 'The caller went away.', { cause: error });
  });
}

type Attempt =
  | { readonly answer: CollectedAnswer; readonly again: boolean }
  | { readonly answer: undefined; readonly error: TwinrankError; readonly again: boolean };

async function attempt(
  exchange: Exchange,
  request: WriteRequest,
  chunks: readonly Buffer[],
  signal: AbortSignal,
): Promise<Attempt> {
  const body = new HandedOver(chunks);
  const like = upstreamRequest(exchange, { body, bodyChanged: true });
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const headers = request.isReplyRead === true ? readableReply(like.headers) : like.headers;
  try {
    const answer = await collectFor(
      exchange,
      {
        ...like,
        headers: [...headers, 'Content-Length', String(length)],
        body: length === 0 ? null : body,
      },
      { maxBytes: MAX_ANSWER_BYTES, signal },
    );
    return { answer, again: answer.status === 429 && !isClusterBlock(answer.body) };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const nothingDone = !error.connected || !body.endGiven;
    return { answer: undefined, again: nothingDone, error: nothingDone ? error : uncertain(error) };
  }
}

function uncertain(error: UpstreamError): TwinrankError {
  return new TwinrankError(
    error.code,
    `${error.message} The request had been sent, so it may have been written: look before you send it again.`,
    { cause: error },
  );
}

function retryAfter(answer: CollectedAnswer): number | null {
  return retryAfterMs(headerValue(answer.headers, 'retry-after'), Date.now());
}

function chunksOf(whole: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < whole.length; at += CHUNK_BYTES) chunks.push(whole.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

/** A body that knows whether its last piece was asked for: until then the engine cannot have the whole request. */
class HandedOver extends Readable {
  readonly #chunks: readonly Buffer[];
  #next = 0;

  constructor(chunks: readonly Buffer[]) {
    super({ highWaterMark: 1 });
    this.#chunks = chunks;
    this.on('error', () => undefined);
  }

  get endGiven(): boolean {
    return this.#next >= this.#chunks.length;
  }

  override _read(): void {
    this.push(this.#chunks[this.#next++] ?? null);
  }
}
