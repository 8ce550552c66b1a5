/**
 * Which headers cross the proxy, and how. Raw header lists keep order, case and duplicates: name, value, name, ….
 * Hop-by-hop headers by RFC 9110 section 7.6.1.
 */

/** A request header of this name speaks to us and not to the engine; in answers it says what we did. */
export const OUR_HEADER = 'x-twinrank';

/** Belong to one connection and are made anew on the next. */
const HOP_BY_HOP = names(
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
);

/** Not for the upstream either: `Expect` is answered by us (RFC 9110 section 10.1.1), the other speaks to us. */
const NOT_SENT_ON = names(...HOP_BY_HOP.all, 'expect', OUR_HEADER);

/** Names to look for. Every header of every request is asked, so that most are told apart by their length alone. */
interface Names {
  readonly all: ReadonlySet<string>;
  /** Bit n is set where a name of n characters is among them. */
  readonly lengths: number;
}

function names(...all: readonly string[]): Names {
  return { all: new Set(all), lengths: all.reduce((bits, name) => bits | (1 << name.length), 0) };
}

function isOneOf(name: string, { all, lengths }: Names): boolean {
  return name.length < 32 && (lengths & (1 << name.length)) !== 0 && all.has(name.toLowerCase());
}

/** Lower-cased names that a `Connection` header declares to be hop-by-hop as well; undefined where none does. */
function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    if (!isNamed(raw[i] ?? '', 'connection')) continue;
    const value = raw[i + 1] ?? '';
    // Nearly all say just this, which names no header.
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const name of value.split(',')) named.add(name.trim().toLowerCase());
  }
  return named;
}

/** True where a header's name is `lower`, in whatever case. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}

/**
 * Request headers for the upstream. `Host` becomes the upstream's own, as a client that went there directly
 * would have sent.
 */
export function requestHeaders(raw: readonly string[], host: string): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const isHost = isNamed(name, 'host');
    if (isOneOf(name, NOT_SENT_ON)) continue;
    if (named?.has(name.toLowerCase()) === true && !isHost && !isNamed(name, 'content-length')) continue;
    kept.push(name, isHost ? host : (raw[i + 1] ?? ''));
  }
  return kept;
}

/** Response headers for the client. */
export function responseHeaders(raw: readonly string[]): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (isOneOf(name, HOP_BY_HOP)) continue;
    if (named?.has(name.toLowerCase()) === true && !isNamed(name, 'content-length')) continue;
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
  for (let i = 0; i < raw.length; i += 2) if (isNamed(raw[i] ?? '', name)) return raw[i + 1];
  return undefined;
}

/** The encoding that a body is in, `identity` where none is named. */
export function contentEncoding(raw: readonly string[]): string {
  return headerValue(raw, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
}

/** A text as a header value: one line of visible ASCII, so that nothing can be injected. */
export function headerSafe(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1000);
}
