/**
 * A `_bulk` body on its way to the engine: lines come in, documents get their vectors, lines go out in the same
 * order. What is under way is bounded in bytes and items, so a body of any size needs little memory, and a slow
 * engine slows the client down.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asTwinrankError, TwinrankError } from '../errors.js';
import { hasSource, parseAction, type BulkAction } from './bulk-action.js';
import type { VectorOutcome, Vectorize } from './vectorizer.js';

/** An item that was not sent because its text could not be encoded. */
export interface RejectedItem {
  /** Place among the items of the request, from 0. */
  readonly position: number;
  readonly action: BulkAction;
  readonly error: TwinrankError;
}

/** What a finished stream has done. */
export interface BulkTally {
  items: number;
  sent: number;
  readonly outcomes: Partial<Record<VectorOutcome, number>>;
  readonly rejected: RejectedItem[];
}

export interface BulkStreamOptions {
  readonly defaultIndex: string | undefined;
  readonly signal: AbortSignal;
  /** Bounds on what is under way in one request. */
  readonly maxPendingBytes: number;
  readonly maxPendingItems: number;
  /** How long an item waits for room in a full encoder queue before it fails, in milliseconds. */
  readonly overloadPatienceMs: number;
}

interface Pending {
  readonly size: number;
  readonly ready: Promise<void>;
  output: readonly Buffer[] | undefined;
  error: unknown;
}

/** Output is joined to chunks of about this size: many small writes cost more than one copy. */
const CHUNK_BYTES = 128 * 1024;

/** An empty tally to hand to {@link transformBulk}. */
export function emptyTally(): BulkTally {
  return { items: 0, sent: 0, outcomes: {}, rejected: [] };
}

/** The lines for the engine. `tally` is filled as it goes and complete when the generator ends. */
export async function* transformBulk(
  lines: AsyncIterable<Buffer>,
  vectorize: Vectorize,
  tally: BulkTally,
  options: BulkStreamOptions,
): AsyncGenerator<Buffer> {
  const queue: Pending[] = [];
  let pendingBytes = 0;
  let action: { readonly parsed: BulkAction; readonly line: Buffer } | undefined;
  let verbatim = false;

  const drain = async function* (until: () => boolean): AsyncGenerator<Buffer> {
    let chunk: Buffer[] = [];
    let size = 0;
    while (queue.length > 0 && !until()) {
      const first = queue[0] as Pending;
      if (first.output === undefined && first.error === undefined) {
        if (chunk.length > 0) yield Buffer.concat(chunk, size);
        chunk = [];
        size = 0;
        await first.ready;
      }
      if (first.error !== undefined) throw first.error;
      queue.shift();
      pendingBytes -= first.size;
      for (const bytes of first.output ?? []) {
        chunk.push(bytes);
        size += bytes.length;
      }
      if (size >= CHUNK_BYTES) {
        yield Buffer.concat(chunk, size);
        chunk = [];
        size = 0;
      }
    }
    if (chunk.length > 0) yield Buffer.concat(chunk, size);
  };
  const push = (size: number, work: Promise<readonly Buffer[]> | readonly Buffer[]): void => {
    const pending: Pending = { size, output: undefined, error: undefined, ready: Promise.resolve() };
    pendingBytes += size;
    queue.push(pending);
    if (work instanceof Promise) {
      Object.assign(pending, {
        ready: work.then(
          (output) => {
            pending.output = output;
          },
          (error: unknown) => {
            pending.error = error;
          },
        ),
      });
    } else pending.output = work;
  };

  for await (const line of lines) {
    if (verbatim) push(line.length, [line]);
    else if (action !== undefined) {
      push(
        action.line.length + line.length,
        encodeItem(action.parsed, action.line, line, vectorize, tally, options),
      );
      action = undefined;
    } else if (isBlank(line)) push(line.length, [line]);
    else {
      const parsed = parseAction(line, options.defaultIndex);
      if (parsed === undefined) {
        // The engine refuses the whole request for such a line, in its own words; it shall see what follows as sent.
        verbatim = true;
        tally.sent++;
        push(line.length, [line]);
      } else if (hasSource(parsed)) action = { parsed, line };
      else {
        tally.items++;
        tally.sent++;
        push(line.length, [line]);
      }
    }
    if (pendingBytes > options.maxPendingBytes || queue.length > options.maxPendingItems) {
      yield* drain(
        () => pendingBytes <= options.maxPendingBytes / 2 && queue.length <= options.maxPendingItems / 2,
      );
    }
  }
  if (action !== undefined) push(action.line.length, [action.line]);
  yield* drain(() => false);
}

async function encodeItem(
  action: BulkAction,
  actionLine: Buffer,
  sourceLine: Buffer,
  vectorize: Vectorize,
  tally: BulkTally,
  options: BulkStreamOptions,
): Promise<readonly Buffer[]> {
  const position = tally.items++;
  if (action.index === undefined || action.name === 'update') {
    tally.sent++;
    return [actionLine, sourceLine];
  }
  const end = sourceLine.at(-1) === 0x0a ? sourceLine.length - 1 : sourceLine.length;
  try {
    const { source, outcome } = await patiently(
      () => vectorize(action.index as string, sourceLine.subarray(0, end), options.signal),
      options,
    );
    tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
    tally.sent++;
    return [actionLine, source, sourceLine.subarray(end)];
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    if (error.code === 'cancelled' || options.signal.aborted) throw error;
    tally.rejected.push({ position, action, error });
    return [];
  }
}

/** Waits while the encoder's queue is full: a bulk request is held back, not refused, as long as that helps. */
async function patiently<T>(work: () => Promise<T>, options: BulkStreamOptions): Promise<T> {
  const deadline = Date.now() + options.overloadPatienceMs;
  for (let pause = 10; ; pause = Math.min(pause * 2, 500)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TwinrankError) || error.code !== 'overloaded' || Date.now() + pause > deadline)
        throw error;
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a);
}
