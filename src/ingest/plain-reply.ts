/** The engine's reply uncompressed, for the rare reply that must be completed. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { headerValue, without } from '../http/header-rules.js';

/** Content codings that can be undone here. */
const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};
const READABLE: ReadonlySet<string> = new Set([...Object.keys(DECODERS), 'identity', '']);

/** Request headers whose reply can be read here: a wish for another coding is left out. */
export function readableReply(raw: readonly string[]): string[] {
  const codings = (headerValue(raw, 'accept-encoding') ?? '')
    .split(',')
    .map((part) => (part.split(';')[0] ?? '').trim().toLowerCase());
  return codings.every((coding) => READABLE.has(coding)) ? [...raw] : without(raw, 'accept-encoding');
}

/** The reply's bytes without their content coding. */
export function plainReply(raw: readonly string[], reply: Buffer): Buffer {
  const coding = headerValue(raw, 'content-encoding')?.trim().toLowerCase() ?? '';
  const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  return decode === undefined || reply.length === 0 ? reply : decode(reply);
}
