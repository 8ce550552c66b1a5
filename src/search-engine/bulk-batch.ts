/** What a bulk request is made of, and how its answer is read: functions from data to data. */
import { TwinrankError } from '../errors.js';
import { isRecord } from './json-value.js';

/** One write. `Origin` is whatever the caller wants back with a failure, such as a line number. */
export interface BulkOperation<Origin> {
  /** The action line, such as `{"index":{"_id":"7"}}`, without line end. */
  readonly action: string;
  /** The document on one line, without line end, passed on as it is; null for a deletion, which has none. */
  readonly source: Buffer | null;
  /** Writes with the same key keep their order; null where order does not matter. */
  readonly key: string | null;
  /** True where doing it twice is the same as doing it once, such as an index with an id. */
  readonly repeatable: boolean;
  readonly origin: Origin;
}

/** An engine's answer to a bulk request. */
export interface BulkAnswer {
  readonly status: number;
  /** Value of `Retry-After`, if any. */
  readonly retryAfter?: string | undefined;
  /** Parsed JSON, or the text as it came. */
  readonly body: unknown;
}

/** What became of one operation. */
export type Verdict =
  | { readonly kind: 'written' }
  | { readonly kind: 'again'; readonly status: number | null; readonly reason: string }
  | { readonly kind: 'failed'; readonly status: number | null; readonly reason: string };

const NEWLINE = Buffer.from('\n');

/** Bytes that an operation takes in a request. */
export function bytesOf(operation: BulkOperation<unknown>): number {
  const { action, source } = operation;
  return Buffer.byteLength(action) + 1 + (source === null ? 0 : source.length + 1);
}

/** Body of a bulk request. */
export function bulkBody(operations: readonly BulkOperation<unknown>[]): Buffer {
  return Buffer.concat(
    operations.flatMap(({ action, source }) => [
      Buffer.from(action),
      NEWLINE,
      ...(source === null ? [] : [source, NEWLINE]),
    ]),
  );
}

/** Statuses of an item or a request that did nothing and may be asked again. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);

/** Statuses after which it is not known whether the request was carried out. */
const UNCERTAIN: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * One verdict per operation. An item of status 429 or 503 was not written. A whole answer of 502, 503 or 504 may
 * come from something between us and an engine that did write, so only repeatable operations are asked again.
 */
export function verdictsOf(operations: readonly BulkOperation<unknown>[], answer: BulkAnswer): Verdict[] {
  const { status } = answer;
  if (status === 200) return itemsOf(answer.body, operations.length).map(verdictOfItem);
  const reason = reasonOf(answer);
  return operations.map(({ repeatable }): Verdict => {
    if (status === 429 || (UNCERTAIN.has(status) && repeatable)) return { kind: 'again', status, reason };
    if (UNCERTAIN.has(status))
      return { kind: 'failed', status, reason: `${reason}; it may have been written all the same` };
    return { kind: 'failed', status, reason };
  });
}

/** Verdicts after a connection that broke; `sent` is false where nothing can have reached the engine. */
export function verdictsOfBreak(
  operations: readonly BulkOperation<unknown>[],
  reason: string,
  sent: boolean,
): Verdict[] {
  return operations.map(({ repeatable }): Verdict =>
    repeatable || !sent
      ? { kind: 'again', status: null, reason }
      : { kind: 'failed', status: null, reason: `${reason}; it may have been written all the same` },
  );
}

interface Item {
  readonly status?: unknown;
  readonly error?: unknown;
}

function itemsOf(body: unknown, expected: number): Item[] {
  const items = isRecord(body) ? body['items'] : undefined;
  if (!Array.isArray(items) || items.length !== expected) {
    const found = Array.isArray(items) ? `${items.length} items` : 'no items';
    const message = `The answer to a bulk request of ${expected} documents has ${found}; is the address that of an engine?`;
    throw new TwinrankError('upstream_answer', message);
  }
  // Each item is wrapped in the name of its action.
  return items.map((item: unknown) => (isRecord(item) ? ((Object.values(item)[0] ?? {}) as Item) : {}));
}

function verdictOfItem(item: Item): Verdict {
  const status = typeof item.status === 'number' ? item.status : null;
  if (status !== null && status >= 200 && status < 300) return { kind: 'written' };
  const reason = describeError(item.error) ?? `status ${status ?? 'unknown'}`;
  return { kind: status !== null && BUSY.has(status) ? 'again' : 'failed', status, reason };
}

function reasonOf(answer: BulkAnswer): string {
  const error = isRecord(answer.body) ? answer.body['error'] : undefined;
  return describeError(error) ?? `the bulk request was answered with status ${answer.status}`;
}

/** An engine's error object as one line, its innermost cause included, as the outer reason alone often says little. */
function describeError(error: unknown): string | null {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return null;
  const {
    type,
    reason,
    caused_by: cause,
  } = error as { type?: unknown; reason?: unknown; caused_by?: unknown };
  const own = [type, reason].filter((part) => typeof part === 'string').join(': ');
  const inner = describeError(cause);
  return inner === null ? own : `${own} (${inner})`;
}
