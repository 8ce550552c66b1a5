/**
 * The parts of a search body that are for us: `ext.twinrank` and `ext.rerank` (OpenSearch's own words for a query
 * context). They are read and cut out, since an engine refuses sections of `ext` that it does not know.
 */
import {
  cutRange,
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
  const found = OURS.flatMap((name) => {
    const member = memberNamed(body, inner, name);
    return member === undefined ? [] : [{ name, member }];
  });
  if (found.length === 0) return none;
  const values = Object.fromEntries(found.map(({ name, member }) => [name, valueOf(body, member)]));
  const rest = { twinrank: values['twinrank'], rerank: values['rerank'] };
  if (found.length === inner.length)
    return { body: applyEdits(body, [cut(cutRange(body, { start: open, end }, ext))]), ...rest };
  // One after the other: the ranges of neighbours would overlap at their comma.
  const [first] = found;
  if (first === undefined) return none;
  const shorter = applyEdits(body, [cut(cutRange(body, ext, first.member))]);
  return { ...rest, body: takeExtension(shorter).body };
}

function valueOf(body: Buffer, member: Member): unknown {
  return JSON.parse(body.toString('utf8', member.start, member.end)) as unknown;
}
