/**
 * Which headers cross the proxy, and how. Raw header lists keep order, case and duplicates: name, value, name, ….
 * Hop-by-hop headers by RFC 9110 section 7.6.1.
 */

/** A request header of this name speaks to us and not to the engine; in answers it says what we did. */
export const OUR_HEADER = 'x-twinrank';

/** Belong to one connection and are made anew on the next. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Lower-cased names that a `Connection` header declares to be hop-by-hop as well. */
function namedByConnection(raw: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue;
    for (const name of (raw[i + 1] ?? '').split(',')) names.add(name.trim().toLowerCase());
  }
  return names;
}

/**
 * Request headers for the upstream. `Host` becomes the upstream's own, as a client that went there directly
 * would have sent; `Expect` is answered by us (RFC 9110 section 10.1.1), since the body is streamed at once.
 */
export function requestHeaders(raw: readonly string[], host: string): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (
      HOP_BY_HOP.has(lower) ||
      lower === 'expect' ||
      lower === OUR_HEADER ||
      (named.has(lower) && lower !== 'content-length' && lower !== 'host')
    )
      continue;
    kept.push(name, lower === 'host' ? host : (raw[i + 1] ?? ''));
  }
  return kept;
}

/** Response headers for the client. */
export function responseHeaders(raw: readonly string[]): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || (named.has(lower) && lower !== 'content-length')) continue;
    kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

/** The list without the named headers (lower case). */
export function without(raw: readonly string[], ...names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!names.includes(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

/** Value of the first header of that name (lower case), or undefined. */
export function headerValue(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) return raw[i + 1];
  return undefined;
}

/** A text as a header value: one line of visible ASCII, so that nothing can be injected. */
export function headerSafe(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1000);
}
