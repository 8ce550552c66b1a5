/**
 * Reading from a socket in large pieces. Node reads 64 KB at a time into a buffer made for it, so that an answer of
 * 100 KB costs two reads and two writes, and a large one hundreds. Here a read takes all that has come, up to what is
 * left of a larger buffer. No part of a buffer is used twice: whoever holds a chunk may keep it.
 */
import type { Duplex } from 'node:stream';

const BUFFER_BYTES = 256 * 1024;
/** With less than this left, the next read gets a new buffer. */
const LEAST_READ_BYTES = 64 * 1024;

/** Options of `net.connect` for one socket at a time. */
export interface LargeReads {
  /** Bytes that may wait unread before the socket is paused. */
  readonly highWaterMark: number;
  readonly onread: {
    readonly buffer: () => Buffer;
    readonly callback: (this: Duplex, bytes: number, into: Uint8Array) => boolean;
  };
}

/** The options; the buffer is theirs, so every socket that can be open beside another needs its own. */
export function largeReads(): LargeReads {
  let buffer = Buffer.alloc(0);
  return {
    highWaterMark: BUFFER_BYTES,
    onread: {
      buffer: () => {
        if (buffer.length < LEAST_READ_BYTES) buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
        return buffer;
      },
      callback(bytes) {
        const chunk = buffer.subarray(0, bytes);
        buffer = buffer.subarray(bytes);
        return this.push(chunk);
      },
    },
  };
}
