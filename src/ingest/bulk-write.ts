/**
 * `_bulk`: the body becomes requests of some megabytes, sent one after the other, while the next one is read and its
 * documents get their vectors. The client gets the engine's replies put together, and never before its body was read.
 */
import { setMaxListeners } from 'node:events';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { readToEnd } from '../http/request-body.js';
import { fail, replyWhole, type Exchange } from '../http/pass-through.js';
import type { CollectedAnswer } from '../http/upstream.js';
import type { ActionDefaults } from './bulk-action.js';
import { bulkItems, emptyTally, UnsentKeys, type BulkPiece } from './bulk-items.js';
import { bulkLines } from './bulk-lines.js';
import { brokenOff, malformedLine } from './bulk-ending.js';
import { lengthOf, PartInMaking, sentItems, sizeOf, type Part } from './bulk-part.js';
import { GatheredReply } from './gathered-reply.js';
import { ingestedHeader } from './ingest-outcome.js';
import { plainBody } from './plain-body.js';
import { replyForm, type ReplyForm } from './reply-form.js';
import { parametersOf } from './request-parameters.js';
import { RetryWindow } from './retry-window.js';
import { sendWrite } from './send-write.js';
import { silent } from './silent-sender.js';
import { answeredAs, settlePart, type PartResult } from './settle-part.js';
import type { Turnstile } from './turnstile.js';
import { createCurrentReader } from './update/current-documents.js';
import { mendPart } from './update/mend-part.js';
import type { MendVector } from './update/mend-vector.js';
import type { ReadCurrent, VectorizeUpdate } from './update/vectorize-update.js';
import type { Vectorize } from './vectorizer.js';

/** Limits of one bulk request. */
export interface BulkLimits {
  readonly maxLineBytes: number;
  /** Lines from this size on, and requests that cannot be cut, take turns. */
  readonly longLineBytes: number;
  /** About how long a request to the engine becomes, vectors included, and how many items it has. */
  readonly maxPartBytes: number;
  readonly maxPartItems: number;
  /** The longest request where the reply's form allows one only. */
  readonly maxUncutBytes: number;
  readonly maxPendingBytes: number;
  readonly maxPendingItems: number;
  readonly overloadPatienceMs: number;
  /** How long to try again what the engine refuses for now or cannot be reached for, in milliseconds. */
  readonly retryForMs: number;
  /** How long a sender may be silent in the middle of its body while others wait for its place, in milliseconds. */
  readonly maxSilenceMs: number;
}

export interface BulkDeps {
  readonly vectorize: Vectorize;
  /** Writes without a vector what cannot be encoded: for replies into which nothing can be put. */
  readonly vectorizeLeniently: Vectorize;
  readonly updates: { readonly vectorize: VectorizeUpdate; readonly mend: MendVector };
  /** Bulk requests at once. */
  readonly admission: Turnstile;
  /** Long lines at once. */
  readonly longLines: Turnstile;
  /** Told of each time that something is sent again. */
  readonly onRetry: () => void;
}

/** Handles a bulk write. */
export async function writeBulk(
  exchange: Exchange,
  defaultIndex: string | undefined,
  deps: BulkDeps,
  limits: BulkLimits,
): Promise<void> {
  const { request, signal } = exchange;
  const leave = await deps.admission.enter(signal, { request, onSilence: () => write.giveUp() });
  const write = new BulkWrite(exchange, defaultIndex, deps, limits);
  try {
    await write.run();
  } finally {
    leave();
  }
}

/** How a request ends other than by an answer to each of its items. */
type Ending = { readonly answer: CollectedAnswer } | { readonly error: TwinrankError };

const MIN_PART_BYTES = 64 * 1024;

class BulkWrite {
  readonly #exchange: Exchange;
  readonly #defaults: ActionDefaults;
  readonly #refresh: string | undefined;
  readonly #deps: BulkDeps;
  readonly #limits: BulkLimits;
  readonly #form: ReplyForm;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #retry: RetryWindow;
  readonly #tally = emptyTally();
  readonly #unsent = new UnsentKeys();
  readonly #readCurrent: ReadCurrent;
  readonly #reply: GatheredReply;
  #part = new PartInMaking();
  #partBytes: number;
  #underWay: Promise<void> = Promise.resolve();
  #requests = 0;
  #carriedOut = 0;
  /** The engine does not let this caller write any more: so it is with all that follows. */
  #refusal: PartResult | undefined;
  #ending: Ending | undefined;
  #isAbandoned = false;
  #endEarly: () => void = () => undefined;
  #leaveLongLines: (() => void) | undefined;

  constructor(exchange: Exchange, defaultIndex: string | undefined, deps: BulkDeps, limits: BulkLimits) {
    this.#exchange = exchange;
    const parameter = parametersOf(exchange.request.url ?? '');
    this.#defaults = { index: defaultIndex, routing: parameter('routing') || undefined };
    this.#refresh = parameter('refresh');
    this.#deps = deps;
    this.#limits = limits;
    this.#form = replyForm(exchange.request.url ?? '', exchange.request.rawHeaders);
    this.#reply = new GatheredReply(this.#form);
    this.#retry = new RetryWindow(limits.retryForMs, Date.now, deps.onRetry);
    this.#readCurrent = createCurrentReader(exchange);
    this.#partBytes = this.#form.isJson ? limits.maxPartBytes : limits.maxUncutBytes;
    this.#signal = AbortSignal.any([exchange.signal, this.#stop.signal]);
    // Each text under way listens to it.
    setMaxListeners(0, this.#signal);
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#endEarly = resolve;
    });
    const read = this.#read();
    try {
      await Promise.race([read, ended]);
      await this.#answer();
    } finally {
      this.#stop.abort();
      await Promise.allSettled([read, this.#underWay]);
      this.#letLongLinesGo();
    }
  }

  /** Ends a request whose sender has stopped in the middle. */
  giveUp(): void {
    this.#isAbandoned = true;
    const { code, message } = silent(this.#limits.maxSilenceMs);
    this.#endWith({ error: brokenOff(code, message, this.#carriedOut) });
  }

  /** Reads the body to its end, or to where there is no use in going on. */
  async #read(): Promise<void> {
    const { request } = this.#exchange;
    const lines = bulkLines(plainBody(request, this.#signal), this.#limits);
    try {
      for await (const piece of bulkItems(lines, this.#tally, this.#itemOptions())) {
        if (piece.kind === 'settle') await this.#settle(piece.longLine);
        else await this.#add(piece);
        if (this.#ending !== undefined) return;
      }
      await this.#close(true);
      await this.#underWay;
    } catch (thrown) {
      const error = asTwinrankError(thrown);
      if (error.code === 'cancelled') throw error;
      await this.#underWay;
      this.#ending ??= { error: brokenOff(error.code, error.message, this.#carriedOut) };
    }
  }

  #itemOptions(): Parameters<typeof bulkItems>[2] {
    const { vectorize, vectorizeLeniently, updates } = this.#deps;
    const { isJson } = this.#form;
    return {
      ...this.#limits,
      defaults: this.#defaults,
      signal: this.#signal,
      vectorize: isJson ? vectorize : vectorizeLeniently,
      // A document's earlier writes must be answered before an update reads it, so the body must be cut.
      updates: isJson ? { vectorize: updates.vectorize, readCurrent: this.#readCurrent } : undefined,
      unsent: this.#unsent,
      answered: () => this.#underWay,
      isRefused: () => this.#refusal !== undefined,
    };
  }

  async #add(piece: Exclude<BulkPiece, { kind: 'settle' }>): Promise<void> {
    const size = sizeOf(piece);
    const isFull =
      this.#part.bytes + size > this.#partBytes || this.#part.pieces >= this.#limits.maxPartItems;
    // Line ends without number would be held without number.
    if (isFull && !this.#part.isEmpty && piece.kind === 'lines' && piece.isBlank === true) return;
    if (!this.#form.isJson) await this.#keepWhole(size);
    else if (isFull && !this.#part.isBlank) await this.#close(false);
    this.#part.add(piece);
    // What was not taken is not held either.
    if (piece.kind === 'rejected' && this.#form.isJson && this.#part.items === 1) this.#letLongLinesGo();
  }

  /** One request only: it may be long, but not many such at once, and not of any length. */
  async #keepWhole(size: number): Promise<void> {
    const bytes = this.#part.bytes + size;
    if (bytes > this.#limits.maxUncutBytes)
      throw new TwinrankError(
        'body_too_large',
        `With its vectors this body is larger than ${this.#limits.maxUncutBytes} bytes, and a reply that is not JSON cannot be put together from parts. Ask for JSON, or send less at once.`,
      );
    if (bytes > this.#limits.longLineBytes) await this.#takeTurn();
  }

  /** Lets all that was read be answered; then, for a long line, waits for a turn. */
  async #settle(longLine: boolean): Promise<void> {
    if (this.#form.isJson) {
      await this.#close(false);
      await this.#underWay;
      if (this.#ending !== undefined) return;
      this.#letLongLinesGo();
    }
    if (longLine) await this.#takeTurn();
  }

  async #takeTurn(): Promise<void> {
    const { request } = this.#exchange;
    const onSilence = (): void => this.giveUp();
    this.#leaveLongLines ??= await this.#deps.longLines.enter(this.#signal, { request, onSilence });
  }

  #letLongLinesGo(): void {
    this.#leaveLongLines?.();
    this.#leaveLongLines = undefined;
  }

  /** Sends the part that was made, as soon as the one before is answered. */
  async #close(isLast: boolean): Promise<void> {
    if (this.#part.isEmpty) return;
    const part = this.#part.close();
    this.#part = new PartInMaking();
    await this.#underWay;
    if (this.#ending !== undefined) return;
    for (const { action } of part) if (action !== undefined) this.#unsent.remove(action);
    this.#underWay = this.#send(part, isLast).catch((thrown: unknown) => {
      // Without its caller nobody will hear of it.
      this.#endWith({ error: asTwinrankError(thrown) });
    });
  }

  async #send(part: Part, isLast: boolean): Promise<void> {
    if (this.#refusal !== undefined) return this.#reply.add(answeredAs(part, this.#refusal));
    if (lengthOf(part) === 0) return this.#reply.add(answeredAs(part, undefined));
    this.#requests++;
    const result = await settlePart(part, {
      send: (body) => this.#request(body),
      retry: this.#retry,
      signal: this.#signal,
      repliesAreJson: this.#form.isJson,
      repliesAreWhole: !this.#form.isFiltered,
    });
    if (this.#form.isJson && lengthOf(part) > this.#limits.longLineBytes) this.#letLongLinesGo();
    if (result.kind === 'answered') {
      this.#carriedOut += sentItems(part).length;
      if (result.tooLong !== undefined)
        this.#partBytes = Math.max(MIN_PART_BYTES, Math.min(this.#partBytes, result.tooLong / 2));
      await mendPart(part, result.items, (target) =>
        this.#deps.updates.mend(this.#exchange, target, this.#readCurrent, { refresh: this.#refresh }),
      );
      return this.#reply.add(result);
    }
    const isWholeBody = isLast && this.#reply.items === 0;
    const isTooLongItem =
      result.kind === 'refused' && result.answer.status === 413 && sentItems(part).length === 1;
    if (this.#carriedOut === 0 && !(isTooLongItem && !isWholeBody)) {
      this.#endWith(result.kind === 'refused' ? { answer: result.answer } : { error: result.error });
      return;
    }
    if (result.kind === 'refused' && result.answer.status === 400) {
      this.#ending = {
        error: brokenOff('bad_request', malformedLine(part, result.answer), this.#carriedOut),
      };
      return;
    }
    if (result.kind === 'refused' && (result.answer.status === 401 || result.answer.status === 403))
      this.#refusal = result;
    await this.#reply.add(answeredAs(part, result));
  }

  #request(body: Buffer): Promise<CollectedAnswer> {
    // The reply may have to be put together with others.
    const write = { body, isReplyRead: true };
    return sendWrite(this.#exchange, write, { retry: this.#retry, signal: this.#signal });
  }

  /** Ends the request at once, with the rest of the body let go. */
  #endWith(ending: Ending): void {
    this.#ending ??= ending;
    this.#endEarly();
  }

  async #answer(): Promise<void> {
    const { request } = this.#exchange;
    const ending = this.#ending;
    const outcome = ingestedHeader(this.#tally.outcomes, this.#tally.rejected);
    if (ending === undefined && this.#requests === 0 && this.#refusal === undefined) {
      // Nothing was left to send, but whether this caller may write at all is the engine's to say.
      const answer = await this.#request(Buffer.alloc(0));
      if (answer.status !== 400 || this.#tally.items === 0)
        return replyWhole(this.#exchange, answer, outcome);
      return this.#reply.sendTo(this.#exchange, outcome);
    }
    if (ending === undefined) return this.#reply.sendTo(this.#exchange, outcome);
    if (this.#isAbandoned && 'error' in ending)
      return fail(this.#exchange, ending.error, ['connection', 'close']);
    if (this.#carriedOut > 0) await readToEnd(request);
    if ('answer' in ending) replyWhole(this.#exchange, ending.answer, outcome);
    else fail(this.#exchange, ending.error);
  }
}
