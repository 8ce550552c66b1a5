/** The reply to a bulk request that was sent in parts, gathered as the parts are answered. */
import { once } from 'node:events';
import { responseHeaders, without } from '../http/header-rules.js';
import { replyWhole, type Exchange } from '../http/pass-through.js';
import type { CollectedAnswer } from '../http/upstream.js';
import { framed, type ReplyFrame } from './bulk-reply.js';
import { HeldItems } from './held-items.js';
import type { ReplyForm } from './reply-form.js';
import type { AnsweredPart } from './settle-part.js';

const NO_FRAME: ReplyFrame = {
  bytes: Buffer.from('{"took":0,"errors":false,"items":[]}'),
  before: '',
  after: '',
};

export class GatheredReply {
  readonly #form: ReplyForm;
  readonly #held = new HeldItems();
  #parts = 0;
  #verbatim: CollectedAnswer | undefined;
  #head: CollectedAnswer | undefined;
  #frame: ReplyFrame | undefined;
  #took = 0;
  #ingestTook = 0;
  #errors = false;

  constructor(form: ReplyForm) {
    this.#form = form;
  }

  /** Items whose results are here. */
  get items(): number {
    return this.#held.items;
  }

  /** Adds the results of the next part; its buffers may be let go when it resolves. */
  async add(result: AnsweredPart): Promise<void> {
    this.#parts++;
    this.#verbatim = this.#parts === 1 ? result.verbatim : undefined;
    if (result.reply !== undefined && this.#frame === undefined) {
      this.#head = { ...result.reply.answer, body: Buffer.alloc(0) };
      this.#frame = result.reply.frame;
    }
    if (this.#held.items === 0 && result.items.length > 0)
      this.#held.separator = `,${result.reply?.frame.before ?? ''}`;
    this.#took += result.took;
    this.#ingestTook += result.ingestTook;
    this.#errors ||= result.errors;
    if (this.#form.showsItems) await this.#held.add(result.items);
  }

  /** Sends it. Whatever the client's connection does, this resolves. */
  async sendTo(exchange: Exchange, addHeaders: readonly string[]): Promise<void> {
    if (this.#verbatim !== undefined) {
      replyWhole(exchange, this.#verbatim, addHeaders);
      return;
    }
    const { response } = exchange;
    const frame = this.#frame ?? NO_FRAME;
    const hasItems = this.#held.items > 0;
    const [head, tail] = framed(frame, {
      took: this.#took,
      ingestTook: this.#ingestTook,
      errors: this.#errors,
      hasItems,
    });
    const opening = Buffer.concat([head, Buffer.from(hasItems ? frame.before : '')]);
    const closing = Buffer.concat([Buffer.from(hasItems ? frame.after : ''), tail]);
    response.writeHead(this.#head?.status ?? 200, this.#head?.statusMessage ?? 'OK', [
      ...(this.#head === undefined
        ? ['content-type', 'application/json; charset=UTF-8']
        : without(responseHeaders(this.#head.headers), 'content-length', 'content-encoding')),
      'content-length',
      String(opening.length + this.#held.bytes + closing.length),
      ...addHeaders,
    ]);
    response.write(opening);
    for await (const chunk of this.#held.chunks()) {
      if (!response.write(chunk) && !exchange.signal.aborted)
        await once(response, 'drain', { signal: exchange.signal }).catch(() => undefined);
      if (exchange.signal.aborted) return;
    }
    response.end(closing);
  }
}
