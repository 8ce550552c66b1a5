/** A whole answer of the engine in memory, as far as the bounds allow. */
import { TwinrankError } from '../errors.js';
import type { CollectedAnswer, UpstreamConnection, UpstreamRequest } from './upstream.js';

export interface CollectLimits {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Sends and collects. Rejects with `body_too_large` above `maxBytes`, `cancelled` when the signal fires, or as `send` failed. */
export function collectAnswer(
  send: UpstreamConnection['send'],
  request: UpstreamRequest,
  { maxBytes, signal }: CollectLimits,
): Promise<CollectedAnswer> {
  return new Promise((resolve, reject) => {
    let head: Omit<CollectedAnswer, 'body'> | undefined;
    let size = 0;
    const chunks: Buffer[] = [];
    const onAbort = (): void => {
      flow.abort();
    };
    const done = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const flow = send(request, {
      head: (status, statusMessage, headers) => {
        head = { status, statusMessage, headers };
      },
      data: (chunk) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else flow.abort();
        return true;
      },
      end: () => {
        done(() => {
          if (head !== undefined)
            resolve({
              ...head,
              body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
            });
        });
      },
      failed: (error) => {
        done(() => {
          reject(size > maxBytes ? tooLarge(maxBytes) : error);
        });
      },
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function tooLarge(maxBytes: number): TwinrankError {
  return new TwinrankError('body_too_large', `The engine's answer is larger than ${maxBytes} bytes.`);
}
