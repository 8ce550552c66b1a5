/** The engine's `_bulk` replies, read and put together as byte ranges: every item keeps its bytes. */
import type { TwinrankError } from '../errors.js';
import {
  cutRanges,
  isArray,
  isObject,
  JsonScanError,
  memberNamed,
  scanArray,
  scanDocument,
  scanObject,
  type Range,
} from '../search-engine/json-scan.js';
import { numberIn, rawIn, textIn } from '../search-engine/json-members.js';
import { applyEdits, cut, insertAt, replaceRange, type Edit } from '../search-engine/splice.js';
import { isClusterBlock } from './cluster-block.js';
import type { BulkAction } from './bulk-action.js';

/** A reply taken apart. */
export interface BulkReply {
  /** The items, each with its own bytes. */
  readonly items: readonly Buffer[];
  /** Milliseconds; 0 where the caller filtered it away. */
  readonly took: number;
  readonly ingestTook: number;
  readonly errors: boolean;
  readonly frame: ReplyFrame;
}

/** A reply without its items, and the space around them. */
export interface ReplyFrame {
  readonly bytes: Buffer;
  /** What stands before each item and behind the last one: line breaks in a reply that is made to be read. */
  readonly before: string;
  readonly after: string;
}

/** Takes a reply apart. Throws JsonScanError where it is no bulk reply. */
export function readBulkReply(reply: Buffer): BulkReply {
  const { members } = scanDocument(reply);
  const items = memberNamed(reply, members, 'items');
  if (items !== undefined && !isArray(reply, items)) throw new JsonScanError('an array "items"', items.start);
  const elements = items === undefined ? [] : scanArray(reply, items.start).elements;
  const [first] = elements;
  const last = elements.at(-1);
  const frame =
    items === undefined || first === undefined || last === undefined
      ? { bytes: reply, before: '', after: '' }
      : {
          bytes: applyEdits(reply, [cut({ start: items.start + 1, end: items.end - 1 })]),
          before: reply.toString('latin1', items.start + 1, first.start),
          after: reply.toString('latin1', last.end, items.end - 1),
        };
  return {
    items: elements.map(({ start, end }) => reply.subarray(start, end)),
    took: numberIn(reply, members, 'took') || 0,
    ingestTook: numberIn(reply, members, 'ingest_took') || 0,
    errors: rawIn(reply, members, 'errors') === 'true',
    frame,
  };
}

/** What a reply in parts says before and behind its items. */
export interface Totals {
  readonly took: number;
  readonly ingestTook: number;
  readonly errors: boolean;
  readonly hasItems: boolean;
}

/** The frame with the numbers of the whole, cut where the items belong. */
export function framed({ bytes: given }: ReplyFrame, totals: Totals): [Buffer, Buffer] {
  const edits: Edit[] = [];
  const { open, members } = scanDocument(given);
  const took = memberNamed(given, members, 'took');
  const ingestTook = memberNamed(given, members, 'ingest_took');
  const errors = memberNamed(given, members, 'errors');
  if (took !== undefined) edits.push(replaceRange(took, String(totals.took)));
  if (ingestTook !== undefined) edits.push(replaceRange(ingestTook, String(totals.ingestTook)));
  else if (took !== undefined && totals.ingestTook > 0)
    edits.push(insertAt(took.end, `,"ingest_took":${totals.ingestTook}`));
  if (errors !== undefined) edits.push(replaceRange(errors, String(totals.errors)));
  const lacksItems = memberNamed(given, members, 'items') === undefined;
  if (lacksItems && totals.hasItems) {
    const last = members.at(-1);
    edits.push(insertAt(last?.end ?? open + 1, `${last === undefined ? '' : ','}"items":[]`));
  }
  const whole = applyEdits(given, edits);
  const items = memberNamed(whole, scanDocument(whole).members, 'items');
  if (items === undefined) return [whole, Buffer.alloc(0)];
  return [whole.subarray(0, items.start + 1), whole.subarray(items.end - 1)];
}

/** What an item of a reply says. */
export interface ItemResult {
  readonly status: number;
  /** Undefined where the reply does not say. */
  readonly key: string | undefined;
  readonly failed: boolean;
  /** The engine could not take it now, and did nothing of it. */
  readonly refusedForNow: boolean;
  /** The object with all this: what stands behind the action's name. */
  readonly said: Buffer;
}

/** Reads one item. Throws JsonScanError where it is none. */
export function readItem(item: Buffer): ItemResult {
  const [action] = scanObject(item, 0).members;
  if (action === undefined) throw new JsonScanError('an item', 0);
  const { members } = scanObject(item, action.start);
  const status = numberIn(item, members, 'status') || 0;
  const error = memberNamed(item, members, 'error');
  const index = textIn(item, members, '_index');
  const id = textIn(item, members, '_id');
  const blocked = error !== undefined && isClusterBlock(item.subarray(error.start, error.end));
  return {
    status,
    key: index === undefined || id === undefined ? undefined : `${index}\n${id}`,
    failed: error !== undefined,
    refusedForNow: status === 429 && !blocked,
    said: item.subarray(action.start, action.end),
  };
}

/** An item that has failed, in the engine's own form; `error` is a JSON object. */
export function failedItem(action: BulkAction, status: number, error: string): Buffer {
  const name = JSON.stringify(action.name);
  const index = JSON.stringify(action.index ?? null);
  const id = JSON.stringify(action.id ?? null);
  return Buffer.from(`{${name}:{"_index":${index},"_id":${id},"status":${status},"error":${error}}}`, 'utf8');
}

/** An error of ours as the `error` of an item. */
export function errorOfItem(error: TwinrankError): string {
  return JSON.stringify({ type: `twinrank_${error.code}_exception`, reason: error.message });
}

/** The error object of the engine's answer to a whole request, in the form that items have it; else undefined. */
export function errorOfAnswer(body: Buffer): string | undefined {
  try {
    const error = memberNamed(body, scanDocument(body).members, 'error');
    if (error === undefined || !isObject(body, error)) return undefined;
    const { members, end } = scanObject(body, error.start);
    const causes = memberNamed(body, members, 'root_cause');
    const object: Range = { start: error.start, end };
    const gone = causes === undefined ? [] : cutRanges(body, object, members, [causes]);
    return applyEdits(body.subarray(0, end), gone.map(cut)).toString('utf8', error.start);
  } catch (thrown) {
    if (thrown instanceof JsonScanError) return undefined;
    throw thrown;
  }
}
