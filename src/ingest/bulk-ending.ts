/** What a client hears of a bulk request that ends before its last line. */
import { TwinrankError, type ErrorCode } from '../errors.js';
import type { CollectedAnswer } from '../http/upstream.js';
import { clientLine, type Part } from './bulk-part.js';
import { errorOfAnswer } from './bulk-reply.js';
import { plainReply } from './plain-reply.js';

/** The error, with how many items were carried out before it. */
export function brokenOff(code: ErrorCode, message: string, carriedOut: number): TwinrankError {
  return new TwinrankError(
    code,
    carriedOut === 0
      ? message
      : `${message} The ${carriedOut} items before it were carried out already, nothing behind them was: send the rest, or all again.`,
  );
}

/** The engine's words about a malformed line of a part, with the line's number in the client's body. */
export function malformedLine(part: Part, answer: CollectedAnswer): string {
  const text = errorOfAnswer(plainReply(answer.headers, answer.body)) ?? '{}';
  const { reason } = JSON.parse(text) as { reason?: unknown };
  const n = /\bline \[(\d+)\]/.exec(String(reason))?.[1];
  const line = n === undefined ? undefined : clientLine(part, Number(n));
  const where = line === undefined ? `Behind line ${(part[0]?.line ?? 1) - 1}` : `Line ${line}`;
  const what = String(reason ?? 'the engine does not say why').replace(/\bline \[\d+\]/, 'line');
  return `${where} of the bulk body: ${what}.`;
}
