/** Senders that stop in the middle of a body, and are in the way of others. */
import type { IncomingMessage } from 'node:http';
import { TwinrankError } from '../errors.js';

/** Silence is looked for this many times within the time that is allowed. */
const LOOKS = 10;

/**
 * Calls `onSilence` once when a request has sent nothing for `limitMs` while `isInTheWay`. A body that waits to be read
 * is not silent: then it is us who are slow. Returns what ends the watch.
 */
export function watchSilence(
  request: IncomingMessage,
  limitMs: number,
  isInTheWay: () => boolean,
  onSilence: () => void,
): () => void {
  let seen = request.socket.bytesRead;
  let looks = 0;
  const timer = setInterval(() => {
    const { bytesRead } = request.socket;
    const isSilent = bytesRead === seen && !request.complete && request.readableLength === 0;
    looks = isSilent && isInTheWay() ? looks + 1 : 0;
    seen = bytesRead;
    if (looks < LOOKS) return;
    clearInterval(timer);
    onSilence();
  }, limitMs / LOOKS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** What a sender is told whose silence ended its request. */
export function silent(limitMs: number): TwinrankError {
  return new TwinrankError(
    'request_timeout',
    `The body stopped for ${limitMs / 1000} s while other requests waited.`,
  );
}
