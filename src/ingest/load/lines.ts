/** Lines of a byte stream, as bytes: a document must reach the engine as it stands in the file. */

/** One line without its line end. `tooLong` lines carry only their beginning. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly tooLong: boolean;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** How much of a line that is too long is kept for the report. */
const KEPT_OF_LONG_LINE = 1024;

/**
 * Splits at LF or CRLF; a byte order mark at the start is dropped, the last line needs no line end, and a line
 * above `maxBytes` is skipped to its end in flat memory.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  let tooLong = false;

  const keep = (part: Buffer): void => {
    if (tooLong || part.length === 0) return;
    parts.push(part);
    length += part.length;
    if (length > maxBytes) {
      parts = [Buffer.from(Buffer.concat(parts).subarray(0, KEPT_OF_LONG_LINE))];
      tooLong = true;
    }
  };
  const take = (): Line => {
    let bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    if (!tooLong && bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
    if (number === 1 && bytes.subarray(0, 3).equals(BOM)) bytes = bytes.subarray(3);
    const line = { number, bytes, tooLong };
    number++;
    parts = [];
    length = 0;
    tooLong = false;
    return line;
  };

  for await (const chunk of chunks) {
    let at = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, at);
      if (end === -1) break;
      keep(chunk.subarray(at, end));
      yield take();
      at = end + 1;
    }
    keep(chunk.subarray(at));
  }
  if (length > 0) yield take();
}
