/** A write's body as the plain JSON lines or document that it means, decompressed where it came compressed. */
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TwinrankError } from '../errors.js';
import { contentEncoding, headerValue } from '../http/header-rules.js';
import { bodyStream } from '../http/request-body.js';
import type { DocumentLimits } from './whole-body.js';

/** Why a body cannot be read here; undefined where it can. */
export function unreadable(rawHeaders: readonly string[]): 'content_encoding' | 'format' | undefined {
  const encoding = contentEncoding(rawHeaders);
  if (encoding !== 'identity' && encoding !== 'gzip') return 'content_encoding';
  const type = headerValue(rawHeaders, 'content-type') ?? '';
  return type === '' || /^application\/(?:[\w.+-]*\+)?(?:x-)?(?:nd)?json\b/i.test(type.trim())
    ? undefined
    : 'format';
}

/**
 * The body's bytes, uncompressed. Throws `bad_request` where it is not the gzip that it says. When the signal fires,
 * reading ends with `cancelled` and what the client still sends is let go.
 */
export async function* plainBody(request: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const raw = bodyStream(request);
  const onAbort = (): void => {
    raw.destroy(new TwinrankError('cancelled', 'The rest of the body is not needed.'));
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (contentEncoding(request.rawHeaders) !== 'gzip') {
    yield* raw as AsyncIterable<Buffer>;
    return;
  }
  const gunzip = createGunzip();
  // Errors reach us through the iteration below.
  pipeline(raw, gunzip, () => undefined);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof TwinrankError) throw error;
    throw new TwinrankError('bad_request', 'The body is not the gzip that its Content-Encoding says.', {
      cause: error,
    });
  }
}

/** The whole body up to a limit, uncompressed. Throws `body_too_large` above it. */
export async function collectPlainBody(request: IncomingMessage, limits: DocumentLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of plainBody(request)) {
    chunks.push(chunk);
    const before = size;
    size += chunk.length;
    if (size > limits.maxDocumentBytes)
      throw new TwinrankError(
        'body_too_large',
        `The document is larger than ${limits.maxDocumentBytes} bytes when decompressed.`,
      );
    if (before <= limits.longLineBytes && size > limits.longLineBytes) await limits.takeTurn();
  }
  return Buffer.concat(chunks, size);
}
