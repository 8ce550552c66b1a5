/** One line a request: what it was, how it ended, and never what was in it. */
import { callersId } from '../http/request-id.js';
import type { RequestEnd, RequestRecord } from '../http/request-record.js';
import type { Log } from './log.js';

export interface RequestLogOptions {
  /** Which requests get a line: all, those that are more than passed through, or none. */
  readonly requests: 'all' | 'intercepted' | 'none';
  /** Requests that take longer get a warning; 0 warns of none. */
  readonly slowMs: number;
  /** Share of the searches whose text is shown in their line. */
  readonly queries: number;
}

/** A request that has ended. */
export interface LoggedRequest {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly record: RequestRecord;
}

/** Says whether a request gets a line, which is asked of each, and writes it. */
export interface RequestLog {
  wants(record: RequestRecord, end: RequestEnd): boolean;
  write(request: LoggedRequest, end: RequestEnd): void;
}

/** @param random gives numbers from 0 to 1 */
export function createRequestLog(
  log: Log,
  { requests, slowMs, queries }: RequestLogOptions,
  random: () => number = Math.random,
): RequestLog {
  const isOn = requests !== 'none' && log.isLevelEnabled('info');
  const isSlow = ({ ms }: RequestEnd): boolean => slowMs > 0 && ms >= slowMs;
  return {
    wants: ({ kind }, end) => (isOn && (requests === 'all' || kind !== 'other')) || isSlow(end),
    write(request, end) {
      const line = lineOf(request, end, queries > 0 && random() < queries);
      if (isSlow(end)) log.warn(line, 'slow request');
      else log.info(line, 'request');
    },
  };
}

const LONGEST_TEXT = 500;

function lineOf(
  { id, method, target, rawHeaders, record }: LoggedRequest,
  { ms, status, bytesIn, bytesOut, isCancelled }: RequestEnd,
  showsQuery: boolean,
): Record<string, unknown> {
  const theirs = callersId(rawHeaders);
  const { path, index } = pathShape(target);
  const notes = Object.entries(record.notes ?? {}).map(([name, value]) => [name, rounded(value)]);
  return {
    id,
    ...(theirs === undefined ? {} : { opaque_id: loggable(theirs) }),
    method,
    path,
    ...(index === undefined ? {} : { index: loggable(index) }),
    kind: record.kind,
    outcome: isCancelled ? 'cancelled' : record.outcome,
    ...(record.reason === '' || isCancelled ? {} : { reason: record.reason }),
    status,
    ms: rounded(ms),
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    ...(Object.fromEntries(notes) as object),
    ...(showsQuery && record.query !== undefined ? { query: loggable(record.query) } : {}),
  };
}

/**
 * The path without what belongs to one document or one caller: names of APIs stay, the index becomes `{index}` and is
 * given apart, everything else is a star, and the query string is left out.
 */
export function pathShape(target: string): { readonly path: string; readonly index: string | undefined } {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  const segments = path.split('/').filter((segment) => segment !== '');
  const [first] = segments;
  const hasIndex = first !== undefined && !first.startsWith('_');
  const shapes = segments.map((segment, i) => {
    if (i === 0 && hasIndex) return '{index}';
    return /^_[a-z_]{1,40}$/.test(segment) || WORDS.has(segment) ? segment : '*';
  });
  return { path: `/${shapes.join('/')}`, index: hasIndex ? first : undefined };
}

/** Second words of the engine's APIs. */
const WORDS: ReadonlySet<string> = new Set(['template', 'stream', 'scroll', 'health', 'indices', 'settings']);

/** A caller's text as a value of a line: JSON escapes the first 32 control characters, terminals know more. */
function loggable(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(/[\x7f-\x9f\u2028\u2029]/g, ' ');
}

function rounded(value: number | string): number | string {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}
