/**
 * Reading from a socket in large pieces. Node reads 64 KB at a time into a buffer made for it, so that an answer of
 * 100 KB costs two reads and two writes, and a large one hundreds. Here a read takes all that has come, up to what is
 * left of a larger buffer. No part of a buffer is used twice: whoever holds a chunk may keep it.
 */
import type { Duplex } from 'node:stream';

/** Where short answers are all that comes, a connection keeps no more than this. */
const FIRST_BUFFER_BYTES = 64 * 1024;
const MAX_BUFFER_BYTES = 256 * 1024;

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
  let size = FIRST_BUFFER_BYTES;
  let buffer = Buffer.alloc(0);
  return {
    highWaterMark: MAX_BUFFER_BYTES,
    onread: {
      buffer: () => {
        if (buffer.length < size / 4) buffer = Buffer.allocUnsafeSlow(size);
        return buffer;
      },
      callback(bytes) {
        // More was waiting than there was room for.
        if (bytes === buffer.length) size = MAX_BUFFER_BYTES;
        const chunk = buffer.subarray(0, bytes);
        buffer = buffer.subarray(bytes);
        return this.push(chunk);
      },
    },
  };
}
