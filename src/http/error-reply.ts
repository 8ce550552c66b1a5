/** Errors of ours as the engine would word them, so that any client library can read them. */
import type { ServerResponse } from 'node:http';
import type { TwinrankError } from '../errors.js';

/** JSON body in the engine's error shape; the type carries our code. */
export function errorBody(error: TwinrankError): Buffer {
  const cause = { type: `twinrank_${error.code}_exception`, reason: error.message };
  return Buffer.from(
    JSON.stringify({ error: { root_cause: [cause], ...cause }, status: error.status }),
    'utf8',
  );
}

/** Sends the error, unless an answer has begun: then the connection is cut, so that half an answer is not taken for a whole one. */
export function replyWithError(
  response: ServerResponse,
  error: TwinrankError,
  extraHeaders: readonly string[] = [],
): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = errorBody(error);
  const retry = error.code === 'overloaded' ? ['Retry-After', '1'] : [];
  response.writeHead(error.status, [
    'content-type',
    'application/json; charset=UTF-8',
    'content-length',
    String(body.length),
    ...retry,
    ...extraHeaders,
  ]);
  response.end(body);
}
