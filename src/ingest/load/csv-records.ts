/**
 * Records of a CSV file, not yet split into cells: lines are joined while a quote is open. Every record is later
 * parsed alone, so that a broken one cannot swallow the sound ones behind it.
 */
import { readLines } from './lines.js';

/** A record without its line end; line ends within quoted cells are LF. */
export interface CsvRecord {
  /** Line where the record starts, from 1. */
  readonly line: number;
  readonly bytes: Buffer;
  readonly tooLong: boolean;
}

const QUOTE = 0x22;
const NEWLINE = Buffer.from('\n');

/** Records in file order; blank lines between records are passed over. An open quote lasts at most `maxBytes`. */
export async function* csvRecords(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<CsvRecord> {
  let parts: Buffer[] = [];
  let first = 0;
  let length = 0;
  let quotes = 0;
  const take = (tooLong: boolean): CsvRecord => {
    const record = { line: first, bytes: Buffer.concat(parts), tooLong };
    parts = [];
    length = 0;
    quotes = 0;
    return record;
  };
  for await (const line of readLines(chunks, maxBytes)) {
    if (parts.length === 0) {
      if (line.bytes.length === 0) continue;
      first = line.number;
    } else parts.push(NEWLINE);
    parts.push(line.bytes);
    length += line.bytes.length;
    quotes += countOf(line.bytes, QUOTE);
    if (line.tooLong || length > maxBytes) yield take(true);
    // Quotes inside quoted cells are doubled, so a record is complete where their number is even.
    else if (quotes % 2 === 0) yield take(false);
  }
  if (parts.length > 0) yield take(false);
}

function countOf(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) count++;
  return count;
}
