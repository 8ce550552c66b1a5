/**
 * The items of a `_bulk` body: lines come in, documents get their vectors, items come out in the same order. What is
 * under way is bounded in bytes and items, so a body of any size needs little memory.
 */
import type { TwinrankError } from '../errors.js';
import { asTwinrankError } from '../errors.js';
import { skipWhitespace } from '../search-engine/json-scan.js';
import { hasSource, parseAction, type ActionDefaults, type BulkAction } from './bulk-action.js';
import { LONG_LINE } from './bulk-lines.js';
import { whenThereIsRoom } from '../model/when-there-is-room.js';
import type { ReadCurrent, VectorizedUpdate, VectorizeUpdate } from './update/vectorize-update.js';
import type { Vectorize, VectorOutcome } from './vectorizer.js';

const NEWLINE = 0x0a;

/** A piece of the body, in the body's order. */
export type BulkPiece =
  /** Something to send; without an action it is no item: a blank line, or all from a malformed line on. */
  | {
      readonly kind: 'lines';
      readonly action?: BulkAction;
      readonly line: number;
      readonly bytes: Buffer[];
      /** Of an update: the version of the document that its vector was reckoned from. */
      readonly from?: number | undefined;
      /** Nothing but whitespace: the engine passes over it. */
      readonly isBlank?: true;
    }
  /** An item that is not to be sent, because its text could not be encoded. */
  | {
      readonly kind: 'rejected';
      readonly action: BulkAction;
      readonly line: number;
      readonly error: TwinrankError;
    }
  /** All before must be answered before the next piece is asked for; a long line may be what comes. */
  | { readonly kind: 'settle'; readonly longLine: boolean };

/** What became of the documents, and of how many there was no news to give. */
export interface BulkTally {
  items: number;
  rejected: number;
  readonly outcomes: Partial<Record<VectorOutcome, number>>;
}

/** What to do with an update, and how to read the document that it is about. */
export interface BulkUpdates {
  readonly vectorize: VectorizeUpdate;
  readonly readCurrent: ReadCurrent;
}

export interface BulkItemsOptions {
  readonly defaults: ActionDefaults;
  readonly signal: AbortSignal;
  readonly vectorize: Vectorize;
  /** Without it, updates stay as they are. */
  readonly updates: BulkUpdates | undefined;
  /** Which documents are written by items that have not been sent yet. */
  readonly unsent: UnsentKeys;
  /** Settles when those that have been sent are answered. */
  readonly answered: () => Promise<unknown>;
  /** True from when on items are not to be sent any more, and so need no vectors. */
  readonly isRefused: () => boolean;
  /** Bounds on what is under way in one request. */
  readonly maxPendingBytes: number;
  readonly maxPendingItems: number;
  /** How long an item waits for room in a full encoder queue before it fails, in milliseconds. */
  readonly overloadPatienceMs: number;
}

interface Pending {
  readonly size: number;
  readonly ready: Promise<void>;
  piece: BulkPiece | undefined;
  error: unknown;
}

/** An empty tally. */
export function emptyTally(): BulkTally {
  return { items: 0, rejected: 0, outcomes: {} };
}

/** Counts, by document, the items that have been read but not sent. */
export class UnsentKeys {
  readonly #counts = new Map<string, number>();

  has(action: BulkAction): boolean {
    return action.id !== undefined && this.#counts.has(keyOf(action));
  }

  add(action: BulkAction): void {
    if (action.id === undefined) return;
    const key = keyOf(action);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(action: BulkAction): void {
    if (action.id === undefined) return;
    const key = keyOf(action);
    const count = this.#counts.get(key) ?? 0;
    if (count <= 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}

function keyOf(action: BulkAction): string {
  return `${action.index ?? ''}\n${action.id ?? ''}`;
}

/** The pieces of the body. `tally` is filled as it goes and complete when the generator ends. */
export async function* bulkItems(
  lines: AsyncIterable<Buffer | typeof LONG_LINE>,
  tally: BulkTally,
  options: BulkItemsOptions,
): AsyncGenerator<BulkPiece> {
  const queue: Pending[] = [];
  let pendingBytes = 0;
  let lineNumber = 0;
  let action: { readonly parsed: BulkAction; readonly line: Buffer; readonly number: number } | undefined;
  let verbatim = false;

  const drain = async function* (until: () => boolean): AsyncGenerator<BulkPiece> {
    while (queue.length > 0 && !until()) {
      const first = queue[0] as Pending;
      if (first.piece === undefined && first.error === undefined) await first.ready;
      if (first.error !== undefined) throw first.error;
      queue.shift();
      pendingBytes -= first.size;
      if (first.piece !== undefined) yield first.piece;
    }
  };
  const push = (size: number, work: Promise<BulkPiece> | BulkPiece): void => {
    const pending: Pending = { size, piece: undefined, error: undefined, ready: Promise.resolve() };
    pendingBytes += size;
    queue.push(pending);
    if (!(work instanceof Promise)) pending.piece = work;
    else {
      const ready = work.then(
        (piece) => {
          pending.piece = piece;
        },
        (error: unknown) => {
          pending.error = error;
        },
      );
      Object.assign(pending, { ready });
    }
  };

  for await (const line of lines) {
    if (line === LONG_LINE) {
      yield* drain(() => false);
      yield { kind: 'settle', longLine: true };
      continue;
    }
    lineNumber++;
    if (verbatim) push(line.length, { kind: 'lines', line: lineNumber, bytes: [line] });
    else if (action !== undefined) {
      const { parsed, line: actionLine, number } = action;
      action = undefined;
      const updates = parsed.name === 'update' ? options.updates : undefined;
      if (updates !== undefined && options.unsent.has(parsed)) {
        yield* drain(() => false);
        yield { kind: 'settle', longLine: false };
      }
      tally.items++;
      options.unsent.add(parsed);
      push(
        actionLine.length + line.length,
        encodeItem({ action: parsed, actionLine, sourceLine: line, number }, updates, tally, options),
      );
    } else if (isBlank(line))
      push(line.length, { kind: 'lines', line: lineNumber, bytes: [line], isBlank: true });
    else {
      const parsed = parseAction(line, options.defaults);
      if (parsed === undefined) {
        // The engine refuses the request for such a line, in its own words; it shall see what follows as sent.
        verbatim = true;
        push(line.length, { kind: 'lines', line: lineNumber, bytes: [line] });
      } else if (hasSource(parsed)) action = { parsed, line, number: lineNumber };
      else {
        tally.items++;
        options.unsent.add(parsed);
        push(line.length, { kind: 'lines', action: parsed, line: lineNumber, bytes: [line] });
      }
    }
    // What is ready need not wait for more of the body.
    yield* drain(() => queue[0]?.piece === undefined && queue[0]?.error === undefined);
    if (pendingBytes > options.maxPendingBytes || queue.length > options.maxPendingItems) {
      yield* drain(
        () => pendingBytes <= options.maxPendingBytes / 2 && queue.length <= options.maxPendingItems / 2,
      );
    }
  }
  if (action !== undefined)
    push(action.line.length, { kind: 'lines', line: action.number, bytes: [action.line] });
  yield* drain(() => false);
}

interface ReadItem {
  readonly action: BulkAction;
  readonly actionLine: Buffer;
  readonly sourceLine: Buffer;
  readonly number: number;
}

async function encodeItem(
  { action, actionLine, sourceLine, number }: ReadItem,
  updates: BulkUpdates | undefined,
  tally: BulkTally,
  options: BulkItemsOptions,
): Promise<BulkPiece> {
  const asSent = { kind: 'lines' as const, action, line: number, bytes: [actionLine, sourceLine] };
  if (options.isRefused()) return asSent;
  const end = sourceLine.at(-1) === NEWLINE ? sourceLine.length - 1 : sourceLine.length;
  const body = sourceLine.subarray(0, end);
  const work = workOn(action, body, updates, options);
  if (work === undefined) return asSent;
  try {
    const { source, outcome, from } = await whenThereIsRoom(work, {
      signal: options.signal,
      patienceMs: options.overloadPatienceMs,
    });
    tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
    const bytes = source === body ? asSent.bytes : [actionLine, source, sourceLine.subarray(end)];
    return { ...asSent, bytes, from };
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    if (error.code === 'cancelled' || options.signal.aborted) throw error;
    tally.rejected++;
    return { kind: 'rejected', action, line: number, error };
  }
}

/** What to do with an item; undefined where it goes on as it is. */
function workOn(
  { name, index, id, routing }: BulkAction,
  body: Buffer,
  updates: BulkUpdates | undefined,
  { vectorize, signal, answered }: BulkItemsOptions,
): (() => Promise<VectorizedUpdate>) | undefined {
  if (index === undefined) return undefined;
  if (name !== 'update') return () => vectorize(index, body, signal);
  if (updates === undefined || id === undefined) return undefined;
  // Earlier writes of the document are under way at most: had one not been sent, the body would have been cut here.
  const before = answered();
  const readCurrent: ReadCurrent = (target, fields) => before.then(() => updates.readCurrent(target, fields));
  return () => updates.vectorize({ index, id, routing }, body, readCurrent, signal);
}

function isBlank(line: Buffer): boolean {
  return skipWhitespace(line, 0) >= line.length;
}
