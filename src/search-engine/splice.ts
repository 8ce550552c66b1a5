/** Edits of a byte buffer by ranges: everything outside an edit keeps its bytes. */
import { bug } from '../errors.js';
import type { Range } from './json-scan.js';

/** Replace the range by the bytes; an empty range inserts, empty bytes cut. */
export interface Edit extends Range {
  readonly bytes: Buffer;
}

/** Edit that puts `text` at the offset. */
export function insertAt(offset: number, text: string): Edit {
  return { start: offset, end: offset, bytes: Buffer.from(text, 'utf8') };
}

/** Edit that replaces a range by text. */
export function replaceRange(range: Range, text: string): Edit {
  return { start: range.start, end: range.end, bytes: Buffer.from(text, 'utf8') };
}

/** Edit that removes a range. */
export function cut(range: Range): Edit {
  return { start: range.start, end: range.end, bytes: Buffer.alloc(0) };
}

/**
 * Pieces of `bytes[start, end)` with the edits applied, in order. Edits may come unordered but must not overlap;
 * insertions at the same offset keep their given order.
 */
export function pieces(bytes: Buffer, start: number, end: number, edits: readonly Edit[]): Buffer[] {
  if (edits.length === 0) return [bytes.subarray(start, end)];
  const ordered = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const result: Buffer[] = [];
  let at = start;
  for (const edit of ordered) {
    if (edit.start < at || edit.end > end) throw bug(`Edits overlap or lie outside at byte ${edit.start}.`);
    if (edit.start > at) result.push(bytes.subarray(at, edit.start));
    if (edit.bytes.length > 0) result.push(edit.bytes);
    at = edit.end;
  }
  if (at < end) result.push(bytes.subarray(at, end));
  return result;
}

/** The whole buffer with the edits applied. */
export function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
  return edits.length === 0 ? bytes : Buffer.concat(pieces(bytes, 0, bytes.length, edits));
}
