/**
 * Sends a part of a bulk body until each of its items has a result: a part that is too long for the engine goes in
 * halves, items that the engine could not take for now go again, by themselves and in order.
 */
import { TwinrankError } from '../errors.js';
import type { CollectedAnswer } from '../http/upstream.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import type { BulkAction } from './bulk-action.js';
import { bodyOf, halves, isSentItem, lengthOf, sentItems, type Part, type PartEntry } from './bulk-part.js';
import {
  errorOfAnswer,
  errorOfItem,
  failedItem,
  readBulkReply,
  readItem,
  type BulkReply,
  type ReplyFrame,
} from './bulk-reply.js';
import { plainReply } from './plain-reply.js';
import type { RetryWindow } from './retry-window.js';
import { pause } from './send-write.js';

/** What became of a part. */
export type PartResult =
  | AnsweredPart
  /** The engine refused the request as a whole, and did nothing of it. */
  | { readonly kind: 'refused'; readonly answer: CollectedAnswer }
  /** No answer came; the error says whether something may have been written. */
  | { readonly kind: 'lost'; readonly error: TwinrankError };

export interface AnsweredPart {
  readonly kind: 'answered';
  /** Results of all items, those that were not sent included, in order. */
  readonly items: readonly Buffer[];
  readonly took: number;
  readonly ingestTook: number;
  readonly errors: boolean;
  /** Undefined where no part of it was answered with a reply of its own. */
  readonly reply: { readonly answer: CollectedAnswer; readonly frame: ReplyFrame } | undefined;
  /** The engine's one reply where that says it all. */
  readonly verbatim: CollectedAnswer | undefined;
  /** Length of a request that was too long for the engine. */
  readonly tooLong: number | undefined;
}

export interface SettlePartOptions {
  /** Makes one request, and makes it again where nothing can have come of it. */
  readonly send: (body: Buffer) => Promise<CollectedAnswer>;
  readonly retry: RetryWindow;
  readonly signal: AbortSignal;
  /** False where the reply may lack items or what they say. */
  readonly repliesAreWhole: boolean;
  /** False where replies cannot be read: the part goes as it is. */
  readonly repliesAreJson: boolean;
}

/** Rejects with `cancelled` when the signal fires. */
export async function settlePart(part: Part, options: SettlePartOptions): Promise<PartResult> {
  let answer: CollectedAnswer;
  try {
    answer = await options.send(bodyOf(part));
  } catch (error) {
    if (!(error instanceof TwinrankError) || error.code === 'cancelled') throw error;
    return { kind: 'lost', error };
  }
  const count = sentItems(part).length;
  if (answer.status === 413 && count > 1 && options.repliesAreJson) {
    const [first, second] = halves(part);
    const results = [await settlePart(first, options), await settlePart(second, options)];
    const [a, b] = [answeredAs(first, results[0]), answeredAs(second, results[1])];
    return { ...joined(a, b), tooLong: lengthOf(part) };
  }
  if (answer.status !== 200) return { kind: 'refused', answer };
  const reply = options.repliesAreJson ? readable(answer, options.repliesAreWhole) : undefined;
  if (reply === undefined) return unread(part, answer, options.repliesAreJson);
  if (options.repliesAreWhole && reply.items.length !== count) return unread(part, answer, true);
  if (!options.repliesAreWhole) {
    if (!reply.errors) options.retry.succeeded();
    const rejected = rejectedOf(part).map(rejectedItem);
    const read = readAs(answer, reply);
    if (rejected.length === 0) return { ...read, items: reply.items };
    return { ...read, items: [...reply.items, ...rejected], errors: true, verbatim: undefined };
  }
  return retryItems(part, answer, reply, options);
}

/** Result of each item where the part was not answered as one that was carried out. */
export function answeredAs(part: Part, result: PartResult | undefined): AnsweredPart {
  if (result?.kind === 'answered') return result;
  const items = part.filter(isItem).map((entry) => {
    if (entry.rejected !== undefined) return rejectedItem(entry);
    if (result?.kind !== 'refused')
      return failedItem(
        entry.action,
        result?.error.status ?? 500,
        errorOfItem(result?.error ?? new TwinrankError('internal', 'No result. This is a bug.')),
      );
    return failedItem(entry.action, result.answer.status, refusal(result.answer, entry));
  });
  return { kind: 'answered', items, took: 0, ingestTook: 0, errors: true, reply: undefined, verbatim: undefined, tooLong: undefined }; // prettier-ignore
}

function refusal(answer: CollectedAnswer, entry: PartEntry): string {
  const error = errorOfAnswer(plainReply(answer.headers, answer.body));
  if (error !== undefined) return error;
  return errorOfItem(
    answer.status === 413
      ? new TwinrankError(
          'body_too_large',
          `The engine refuses a request of ${entry.bytes.length} bytes, which this item is with its vector (http.max_content_length).`,
        )
      : new TwinrankError('upstream_answer', `The engine answered ${answer.status} without a reason.`),
  );
}

async function retryItems(
  part: Part,
  answer: CollectedAnswer,
  reply: BulkReply,
  options: SettlePartOptions,
): Promise<AnsweredPart> {
  const entries = sentItems(part);
  const items = [...reply.items];
  let { took, ingestTook } = reply;
  let repeated = false;
  for (;;) {
    const again = reply.errors ? toSendAgain(items) : [];
    if (again.length === 0) {
      options.retry.succeeded();
      break;
    }
    const wait = options.retry.next(null);
    if (wait === undefined) break;
    await pause(wait, options.signal);
    repeated = true;
    const some = again.map((place) => entries[place] as PartEntry);
    const more = await resend(some, options);
    if (more === undefined) break;
    again.forEach((place, i) => {
      items[place] = more.items[i] ?? (items[place] as Buffer);
    });
    took += more.took;
    ingestTook += more.ingestTook;
    if (more.isLost) break;
  }
  const rejected = rejectedOf(part);
  return {
    ...readAs(answer, { ...reply, took, ingestTook }),
    errors: rejected.length > 0 || (repeated ? items.some((item) => readItem(item).failed) : reply.errors),
    items: inPlaces(part, items),
    verbatim: repeated || rejected.length > 0 ? undefined : answer,
  };
}

/** Results of items that are sent again; undefined where their earlier ones stand. */
async function resend(
  entries: readonly PartEntry[],
  options: SettlePartOptions,
): Promise<
  | {
      readonly items: readonly Buffer[];
      readonly took: number;
      readonly ingestTook: number;
      readonly isLost?: true;
    }
  | undefined
> {
  try {
    const answer = await options.send(bodyOf(entries));
    const reply = answer.status === 200 ? readable(answer, true) : undefined;
    return reply?.items.length === entries.length ? reply : undefined;
  } catch (error) {
    if (!(error instanceof TwinrankError) || error.code === 'cancelled') throw error;
    const result = { kind: 'lost', error } as const;
    return { items: answeredAs(entries, result).items, took: 0, ingestTook: 0, isLost: true };
  }
}

/**
 * Places of the items that may be sent again: refused for now, with no later item of the same document carried out,
 * which a repetition would undo.
 */
function toSendAgain(items: readonly Buffer[]): number[] {
  const carriedOut = new Set<string>();
  const again: number[] = [];
  for (let place = items.length - 1; place >= 0; place--) {
    const { key, refusedForNow } = readItem(items[place] as Buffer);
    if (!refusedForNow) {
      if (key !== undefined) carriedOut.add(key);
    } else if (key === undefined || !carriedOut.has(key)) again.push(place);
  }
  return again.reverse();
}

function isItem(entry: PartEntry): entry is PartEntry & { readonly action: BulkAction } {
  return entry.action !== undefined;
}

function rejectedOf(part: Part): (PartEntry & { readonly action: BulkAction })[] {
  return part.filter(isItem).filter((entry) => entry.rejected !== undefined);
}

function rejectedItem({ action, rejected }: PartEntry & { readonly action: BulkAction }): Buffer {
  const error = rejected ?? new TwinrankError('internal', 'Not sent. This is a bug.');
  return failedItem(action, error.status, errorOfItem(error));
}

/** The results of the sent items with those of the others between them. */
function inPlaces(part: Part, sent: readonly Buffer[]): Buffer[] {
  let next = 0;
  return part
    .filter(isItem)
    .map((entry) => (isSentItem(entry) ? (sent[next++] as Buffer) : rejectedItem(entry)));
}

function joined(a: AnsweredPart, b: AnsweredPart): AnsweredPart {
  return {
    kind: 'answered',
    items: [...a.items, ...b.items],
    took: a.took + b.took,
    ingestTook: a.ingestTook + b.ingestTook,
    errors: a.errors || b.errors,
    reply: a.reply ?? b.reply,
    verbatim: undefined,
    tooLong: undefined,
  };
}

function readAs(answer: CollectedAnswer, reply: BulkReply): Omit<AnsweredPart, 'items'> {
  return {
    kind: 'answered',
    took: reply.took,
    ingestTook: reply.ingestTook,
    errors: reply.errors,
    reply: { answer, frame: reply.frame },
    verbatim: answer,
    tooLong: undefined,
  };
}

/** A reply that is none of a bulk API, or not in JSON: alone it goes on as it is. */
function unread(part: Part, answer: CollectedAnswer, shouldBeJson: boolean): AnsweredPart {
  const error = new TwinrankError(
    'upstream_answer',
    'The engine’s reply is none of a bulk request. This may have been written: look before you send it again.',
  );
  return {
    ...answeredAs(part, { kind: 'lost', error }),
    ...(shouldBeJson ? {} : { items: [], errors: false }),
    verbatim: answer,
  };
}

function readable(answer: CollectedAnswer, isWhole: boolean): BulkReply | undefined {
  try {
    const reply = readBulkReply(plainReply(answer.headers, answer.body));
    // Looked at here, so that whoever reads them later need not be ready for anything.
    if (isWhole && reply.errors) reply.items.forEach(readItem);
    return reply;
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}
