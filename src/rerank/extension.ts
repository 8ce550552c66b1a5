/**
 * The parts of a search body that are for us: `ext.twinrank` and `ext.rerank` (OpenSearch's own words for a query
 * context). They are read and cut out, since an engine refuses sections of `ext` that it does not know.
 */
import {
  cutRange,
  cutRanges,
  hasKey,
  isObject,
  memberNamed,
  scanDocument,
  scanObject,
  type Member,
} from '../search-engine/json-scan.js';
import { applyEdits, cut } from '../search-engine/splice.js';

/** The body without our parts, and our parts as data. */
export interface Extension {
  readonly body: Buffer;
  readonly twinrank: unknown;
  readonly rerank: unknown;
}

const OURS = ['twinrank', 'rerank'] as const;

/** Reads and cuts. A body without `ext` is given back as it is. Throws JsonScanError for a body that is no object. */
export function takeExtension(body: Buffer): Extension {
  const none: Extension = { body, twinrank: undefined, rerank: undefined };
  if (!body.includes('"ext"')) return none;
  const { open, members, end } = scanDocument(body);
  const ext = memberNamed(body, members, 'ext');
  if (ext === undefined || !isObject(body, ext)) return none;
  const inner = scanObject(body, ext.start).members;
  const ours = inner.filter((member) => OURS.some((name) => hasKey(body, member, name)));
  if (ours.length === 0) return none;
  const ranges =
    ours.length === inner.length
      ? [cutRange(body, { start: open, end }, ext)]
      : cutRanges(body, ext, inner, ours);
  return {
    body: applyEdits(body, ranges.map(cut)),
    twinrank: valueOf(body, memberNamed(body, inner, 'twinrank')),
    rerank: valueOf(body, memberNamed(body, inner, 'rerank')),
  };
}

function valueOf(body: Buffer, member: Member | undefined): unknown {
  return member === undefined ? undefined : JSON.parse(body.toString('utf8', member.start, member.end));
}
