/** The engine's reply uncompressed, for the rare reply that must be completed. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { headerValue, without } from '../http/header-rules.js';

/** Content codings that can be undone here. */
const DECODERS: Readonly<Record<string, (bytes: Buffer, limits: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};
/** Far beyond a reply to the requests that we send; a few KB could otherwise become gigabytes. */
const MAX_REPLY_BYTES = 128 * 1024 * 1024;
const READABLE: ReadonlySet<string> = new Set([...Object.keys(DECODERS), 'identity', '']);

/** Request headers whose reply can be read here: a wish for another coding is left out. */
export function readableReply(raw: readonly string[]): string[] {
  const codings = (headerValue(raw, 'accept-encoding') ?? '')
    .split(',')
    .map((part) => (part.split(';')[0] ?? '').trim().toLowerCase());
  return codings.every((coding) => READABLE.has(coding)) ? [...raw] : without(raw, 'accept-encoding');
}

/** The reply's bytes without their content coding; as they are where that cannot be undone, or they become too many. */
export function plainReply(raw: readonly string[], reply: Buffer): Buffer {
  const coding = headerValue(raw, 'content-encoding')?.trim().toLowerCase() ?? '';
  const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decode === undefined || reply.length === 0) return reply;
  try {
    return decode(reply, { maxOutputLength: MAX_REPLY_BYTES });
  } catch {
    // Whoever reads it finds no JSON, as in any reply that is none.
    return reply;
  }
}
