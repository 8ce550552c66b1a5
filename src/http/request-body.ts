/** Request bodies: collected up to a limit where we must read them, streamed where we must not. */
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { TwinrankError } from '../errors.js';

/** True where the request announces a body (RFC 9112 section 6). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** What was read of a body: all of it, or what had come when the limit was passed. */
export interface ReadBody {
  readonly bytes: Buffer;
  readonly complete: boolean;
}

/** Reads up to `limit` bytes. Beyond it, reading stops with the rest still in the stream, for another call to go on. */
export function readBody(request: IncomingMessage, limit: number): Promise<ReadBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      settle();
    };
    const result = (complete: boolean): ReadBody => ({
      bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size),
      complete,
    });
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) return;
      request.pause();
      finish(() => {
        resolve(result(false));
      });
    };
    const onEnd = (): void => {
      finish(() => {
        resolve(result(true));
      });
    };
    const onError = (error: Error): void => {
      finish(() => {
        reject(new TwinrankError('cancelled', 'The caller went away while sending.', { cause: error }));
      });
    };
    const onClose = (): void => {
      onError(new Error('closed'));
    };
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    // It may have been read in part and left, or the caller may have left in between.
    if (request.destroyed && !request.readableEnded) onClose();
    else request.resume();
  });
}

/** Lets go what the client still sends: it may not look for an answer before. */
export function readToEnd(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    request.once('end', resolve).once('close', resolve).resume();
  });
}

/**
 * The body as a stream for the upstream, set apart from the client's socket: when the engine answers early and
 * the upstream stream is destroyed, the client must still be able to read that answer, so the rest is drained.
 * `first` is what has been read already.
 */
export function bodyStream(request: IncomingMessage, first?: Buffer): Readable {
  const body = new PassThrough({ highWaterMark: 64 * 1024 });
  if (first !== undefined && first.length > 0) body.write(first);
  request.pipe(body);
  request.once('close', () => {
    if (!request.complete)
      body.destroy(new TwinrankError('cancelled', 'The caller went away while sending.'));
  });
  body.once('close', () => {
    request.unpipe(body);
    request.resume();
  });
  body.on('error', () => undefined);
  return body;
}
