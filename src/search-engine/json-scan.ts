/**
 * Byte ranges of JSON values in a UTF-8 buffer, without building the values.
 * Responses and documents are spliced from these ranges, because parsing and printing again would change
 * numbers, escapes, duplicate keys and whitespace. Grammar: RFC 8259; scalars are delimited, not validated. The engines
 * also take comments between tokens and a byte order mark before a document, and store both: they count as whitespace.
 */

/** Half-open byte range. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A member of an object; the key range includes its quotes. */
export interface Member {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes are not the JSON that was expected; `at` is the offset where that showed. */
export class JsonScanError extends Error {
  readonly at: number;
  constructor(expected: string, at: number) {
    super(`expected ${expected} at byte ${at}`);
    this.name = 'JsonScanError';
    this.at = at;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SLASH = 0x2f;
const STAR = 0x2a;
const MARK = 0xef;

/** Strings longer than this are searched natively: a call costs about as much as this many bytes in a loop. */
const SHORT_STRING = 24;

/** Offset of the first byte from `at` on that is no whitespace, nor in a comment or byte order mark. */
export function skipWhitespace(bytes: Buffer, at: number): number {
  let i = at;
  for (;;) {
    const c = bytes[i];
    if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) i++;
    else if (c !== SLASH && c !== MARK) return i;
    else {
      const end = skipAside(bytes, i);
      if (end === i) return i;
      i = end;
    }
  }
}

/** End of the comment or byte order mark at `at`; `at` itself where there is none, or it has no end. */
function skipAside(bytes: Buffer, at: number): number {
  if (bytes[at] === MARK) return bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? at + 3 : at;
  if (bytes[at + 1] === STAR) {
    const end = bytes.indexOf('*/', at + 2, 'latin1');
    return end === -1 ? at : end + 2;
  }
  if (bytes[at + 1] !== SLASH) return at;
  let i = at + 2;
  while (i < bytes.length && bytes[i] !== 0x0a && bytes[i] !== 0x0d) i++;
  return i;
}

/** End of the string whose opening quote is at `at`. */
export function skipString(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) throw new JsonScanError('a string', at);
  let i = at + 1;
  const near = Math.min(bytes.length, i + SHORT_STRING);
  while (i < near) {
    const c = bytes[i];
    if (c === QUOTE) return i + 1;
    i += c === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, i);
    if (quote === -1) throw new JsonScanError('the end of a string', bytes.length);
    let backslashes = 0;
    while (quote - 1 - backslashes >= i && bytes[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
}

/** End of the value that starts at `at` (no leading whitespace). Iterative, so depth cannot exhaust the stack. */
export function skipValue(bytes: Buffer, at: number): number {
  let i = at;
  let depth = 0;
  do {
    i = skipWhitespace(bytes, i);
    const c = bytes[i];
    if (c === QUOTE) i = skipString(bytes, i);
    else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      depth++;
      i++;
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (depth === 0) throw new JsonScanError('a value', i);
      depth--;
      i++;
    } else if (c === COMMA || c === COLON) {
      if (depth === 0) throw new JsonScanError('a value', i);
      i++;
    } else i = skipScalar(bytes, i);
  } while (depth > 0);
  return i;
}

/** End of a number, true, false or null. */
function skipScalar(bytes: Buffer, at: number): number {
  let i = at;
  for (;;) {
    const c = bytes[i];
    // Digits, letters, sign and point: everything a number or literal can hold.
    if (
      c === undefined ||
      !(
        (c >= 0x30 && c <= 0x39) ||
        ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) ||
        c === 0x2d ||
        c === 0x2b ||
        c === 0x2e
      )
    )
      break;
    i++;
  }
  if (i === at) throw new JsonScanError('a value', at);
  return i;
}

/**
 * Members of the object whose brace is at `at`, in order, duplicates included, and the end of the object.
 * @param read may read a value itself, and then returns where it ends: large parts are passed over only once
 */
export function scanObject(
  bytes: Buffer,
  at: number,
  read?: (keyStart: number, keyEnd: number, start: number) => number | undefined,
): { readonly members: Member[]; readonly end: number } {
  if (bytes[at] !== OPEN_BRACE) throw new JsonScanError('an object', at);
  const members: Member[] = [];
  let i = skipWhitespace(bytes, at + 1);
  if (bytes[i] === CLOSE_BRACE) return { members, end: i + 1 };
  for (;;) {
    const keyStart = i;
    const keyEnd = skipString(bytes, i);
    i = skipWhitespace(bytes, keyEnd);
    if (bytes[i] !== COLON) throw new JsonScanError('":"', i);
    const start = skipWhitespace(bytes, i + 1);
    const end = read?.(keyStart, keyEnd, start) ?? skipValue(bytes, start);
    members.push({ keyStart, keyEnd, start, end });
    i = skipWhitespace(bytes, end);
    if (bytes[i] === CLOSE_BRACE) return { members, end: i + 1 };
    if (bytes[i] !== COMMA) throw new JsonScanError('"," or "}"', i);
    i = skipWhitespace(bytes, i + 1);
  }
}

/** Elements of the array whose bracket is at `at`, and the end of the array. */
export function scanArray(bytes: Buffer, at: number): { readonly elements: Range[]; readonly end: number } {
  return scanElements(bytes, at, (start) => ({ start, end: skipValue(bytes, start) }));
}

/** As {@link scanArray}, with each element read by `read` from its first byte on; what it returns must say where it ends. */
export function scanElements<Element extends Range>(
  bytes: Buffer,
  at: number,
  read: (start: number) => Element,
): { readonly elements: Element[]; readonly end: number } {
  if (bytes[at] !== OPEN_BRACKET) throw new JsonScanError('an array', at);
  const elements: Element[] = [];
  let i = skipWhitespace(bytes, at + 1);
  if (bytes[i] === CLOSE_BRACKET) return { elements, end: i + 1 };
  for (;;) {
    const element = read(skipWhitespace(bytes, i));
    elements.push(element);
    i = skipWhitespace(bytes, element.end);
    if (bytes[i] === CLOSE_BRACKET) return { elements, end: i + 1 };
    if (bytes[i] !== COMMA) throw new JsonScanError('"," or "]"', i);
    i++;
  }
}

/** The object that is the whole buffer (whitespace around it allowed). Throws JsonScanError otherwise. */
export function scanDocument(
  bytes: Buffer,
  read?: Parameters<typeof scanObject>[2],
): {
  readonly open: number;
  readonly members: Member[];
  readonly end: number;
} {
  const open = skipWhitespace(bytes, 0);
  const { members, end } = scanObject(bytes, open, read);
  const rest = skipWhitespace(bytes, end);
  if (rest < bytes.length) throw new JsonScanError('the end of the document', rest);
  return { open, members, end };
}

/** Text of the string in the range, quotes included in the range; escapes decoded. Throws JsonScanError for an unknown escape. */
export function stringAt(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch {
    throw new JsonScanError('a string without unknown escapes', start);
  }
}

/** True where the key of the member is `name`, however it is escaped. */
export function hasKey(bytes: Buffer, member: Member, name: string): boolean {
  return keyIs(bytes, member.keyStart, member.keyEnd, name);
}

/**
 * True where the key in the range (quotes included) is `name`. Most keys are told apart by their length or a byte,
 * so text is made only of those that hold escapes or more than ASCII.
 */
export function keyIs(bytes: Buffer, keyStart: number, keyEnd: number, name: string): boolean {
  const length = keyEnd - keyStart - 2;
  if (length < name.length) return false;
  let differs = length !== name.length;
  for (let i = 0; i < length; i++) {
    const c = bytes[keyStart + 1 + i] ?? 0;
    if (c === BACKSLASH || c >= 0x80) return stringAt(bytes, keyStart, keyEnd) === name;
    if (c !== name.charCodeAt(i)) differs = true;
  }
  return !differs;
}

/** Last member of that name: the one that a parser which allows duplicates keeps. */
export function memberNamed(bytes: Buffer, members: readonly Member[], name: string): Member | undefined {
  for (let i = members.length - 1; i >= 0; i--) {
    const member = members[i];
    if (member !== undefined && hasKey(bytes, member, name)) return member;
  }
  return undefined;
}

/** First byte of a value tells its type. */
export function isObject(bytes: Buffer, range: Range): boolean {
  return bytes[range.start] === OPEN_BRACE;
}
export function isArray(bytes: Buffer, range: Range): boolean {
  return bytes[range.start] === OPEN_BRACKET;
}
export function isString(bytes: Buffer, range: Range): boolean {
  return bytes[range.start] === QUOTE;
}

/**
 * Range to cut so that a member disappears and the object stays well-formed: with its following comma, or with
 * the comma before it where it is the last. Cutting a member that was inserted right after the brace, with its comma, restores the original bytes.
 */
export function cutRange(bytes: Buffer, object: Range, member: Member): Range {
  const next = skipWhitespace(bytes, member.end);
  if (bytes[next] === COMMA)
    return { start: member.keyStart, end: next + 1 + indentation(bytes, member, next + 1) };
  let before = member.keyStart - 1;
  while (bytes[before] === 0x20 || bytes[before] === 0x09) before--;
  // Behind a line end or a comment, what looks like the comma may be part of a comment.
  if (bytes[before] !== COMMA && before > object.start) before = commaBefore(bytes, object, member);
  return { start: before > object.start ? before : member.keyStart, end: member.end };
}

/** The comma that parts a member from the one before it; the object's brace where it is the first. */
function commaBefore(bytes: Buffer, object: Range, member: Member): number {
  const { members } = scanObject(bytes, object.start);
  const previous = members[members.findIndex(({ keyStart }) => keyStart === member.keyStart) - 1];
  return previous === undefined ? object.start : skipWhitespace(bytes, previous.end);
}

/** Length of the space at `at` where the same space stands before the member: in indented text its line goes whole. */
function indentation(bytes: Buffer, member: Member, at: number): number {
  const length = skipWhitespace(bytes, at) - at;
  const before = member.keyStart - length;
  return before >= 0 && bytes.subarray(before, member.keyStart).equals(bytes.subarray(at, at + length))
    ? length
    : 0;
}

/** Ranges to cut so that all `gone` members (some of `members`, the whole object's) disappear. */
export function cutRanges(
  bytes: Buffer,
  object: Range,
  members: readonly Member[],
  gone: readonly Member[],
): Range[] {
  const leaving = new Set(gone);
  const lastKept = members.findLastIndex((member) => !leaving.has(member));
  const trailing = members.slice(lastKept + 1);
  const atTheEnd = new Set(trailing);
  const ranges = gone
    .filter((member) => !atTheEnd.has(member))
    .map((member) => cutRange(bytes, object, member));
  const [first] = trailing;
  const last = trailing.at(-1);
  // Members at the end share the comma before them, so they go in one piece.
  if (first !== undefined && last !== undefined) {
    const kept = members[lastKept];
    ranges.push({
      start: kept === undefined ? first.keyStart : skipWhitespace(bytes, kept.end),
      end: last.end,
    });
  }
  return ranges;
}
