/** A part of a bulk body that becomes one request to the engine. */
import type { TwinrankError } from '../errors.js';
import type { BulkAction } from './bulk-action.js';
import type { BulkPiece } from './bulk-items.js';

/** An item, or lines that are none, as they stand in the part. */
export interface PartEntry {
  readonly action: BulkAction | undefined;
  /** Number of its first line in the client's body, from 1. */
  readonly line: number;
  readonly bytes: Buffer;
  /** Why it is not sent; its bytes are then empty. */
  readonly rejected: TwinrankError | undefined;
  /** Of an update: the version of the document that its vector was reckoned from. */
  readonly from: number | undefined;
}

/** What is sent of a bulk body at once, in order. */
export type Part = readonly PartEntry[];

/** Collects the pieces of a part. */
export class PartInMaking {
  #entries: { piece: Exclude<BulkPiece, { kind: 'settle' }>; size: number }[] = [];
  bytes = 0;
  items = 0;
  /** Lines that are no items count too. */
  pieces = 0;
  /** The engine would find nothing in it. */
  isBlank = true;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(piece: Exclude<BulkPiece, { kind: 'settle' }>): void {
    const size = sizeOf(piece);
    this.#entries.push({ piece, size });
    this.bytes += size;
    this.pieces++;
    if (piece.action !== undefined) this.items++;
    if (piece.kind === 'rejected' || piece.isBlank !== true) this.isBlank = false;
  }

  /** The part; its bytes lie in one buffer, so that those that came from the client are let go. */
  close(): Part {
    const whole = Buffer.concat(
      this.#entries.flatMap(({ piece }) => (piece.kind === 'lines' ? piece.bytes : [])),
      this.bytes,
    );
    let at = 0;
    const part = this.#entries.map(({ piece, size }) => ({
      action: piece.action,
      line: piece.line,
      bytes: whole.subarray(at, (at += size)),
      rejected: piece.kind === 'rejected' ? piece.error : undefined,
      from: piece.kind === 'lines' ? piece.from : undefined,
    }));
    this.#entries = [];
    return part;
  }
}

/** Bytes that a piece adds to a part. */
export function sizeOf(piece: BulkPiece): number {
  return piece.kind === 'lines' ? piece.bytes.reduce((sum, bytes) => sum + bytes.length, 0) : 0;
}

/** The items of a part that are sent, each of which has its place in the engine's reply. */
export function sentItems(part: Part): (PartEntry & { readonly action: BulkAction })[] {
  return part.filter(isSentItem);
}

export function isSentItem(entry: PartEntry): entry is PartEntry & { readonly action: BulkAction } {
  return entry.action !== undefined && entry.rejected === undefined;
}

/** Body of the request. A part as it was made lies in one piece already. */
export function bodyOf(part: Part): Buffer {
  const length = lengthOf(part);
  const sent = part.filter((entry) => entry.bytes.length > 0);
  const first = sent[0]?.bytes;
  const last = sent.at(-1)?.bytes;
  if (first === undefined || last === undefined) return Buffer.alloc(0);
  const isOnePiece =
    first.buffer === last.buffer && last.byteOffset + last.length - first.byteOffset === length;
  return isOnePiece
    ? Buffer.from(first.buffer, first.byteOffset, length)
    : Buffer.concat(sent.map((entry) => entry.bytes));
}

/** Bytes of the request. */
export function lengthOf(part: Part): number {
  return part.reduce((sum, entry) => sum + entry.bytes.length, 0);
}

/** Two parts with half of the items each; blank lines stay behind their items. */
export function halves(part: Part): [Part, Part] {
  const middle = Math.ceil(sentItems(part).length / 2);
  let seen = 0;
  const at = part.findIndex((entry) => isSentItem(entry) && ++seen > middle);
  return [part.slice(0, at), part.slice(at)];
}

/** The client's line that the engine counts as line `n` (from 1) of the part's request; undefined where it has none. */
export function clientLine(part: Part, n: number): number | undefined {
  let passed = 0;
  for (const entry of part) {
    if (entry.rejected !== undefined) continue;
    const lines = entry.action === undefined || entry.action.name === 'delete' ? 1 : 2;
    if (n <= passed + lines) return entry.line + (n - passed - 1);
    passed += lines;
  }
  return undefined;
}
