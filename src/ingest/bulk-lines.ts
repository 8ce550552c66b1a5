/** Lines of a `_bulk` body as they come, each with its newline; a line is the unit of the bulk format. */
import { TwinrankError } from '../errors.js';

const NEWLINE = 0x0a;

/** Comes before a line that turns out to be long, as soon as that shows and before the rest of it is read. */
export const LONG_LINE = 'long line';

export interface BulkLineLimits {
  readonly maxLineBytes: number;
  /** From this size on a line is announced by {@link LONG_LINE}. */
  readonly longLineBytes: number;
}

/**
 * Splits a byte stream at newlines. The last line may lack one. Lines are views of the chunks where they lie in
 * one, so little is copied. Throws `body_too_large` for a line above `maxLineBytes`.
 */
export async function* bulkLines(
  chunks: AsyncIterable<Buffer>,
  { maxLineBytes, longLineBytes }: BulkLineLimits,
): AsyncGenerator<Buffer | typeof LONG_LINE> {
  let parts: Buffer[] = [];
  let held = 0;
  let announced = false;
  for await (const chunk of chunks) {
    let at = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, at);
      if (newline === -1) break;
      const tail = chunk.subarray(at, newline + 1);
      yield parts.length === 0 ? tail : Buffer.concat([...parts, tail]);
      parts = [];
      held = 0;
      announced = false;
      at = newline + 1;
    }
    if (at < chunk.length) {
      parts.push(chunk.subarray(at));
      held += chunk.length - at;
      if (held > maxLineBytes)
        throw new TwinrankError(
          'body_too_large',
          `A line of the bulk body is larger than ${maxLineBytes} bytes.`,
        );
      if (held > longLineBytes && !announced) {
        announced = true;
        yield LONG_LINE;
      }
    }
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}
