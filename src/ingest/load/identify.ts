/** The id of a document, and its source without `_id`, which engines refuse inside a document. */
import {
  cutRange,
  hasKey,
  isString,
  memberNamed,
  scanDocument,
  stringAt,
} from '../../search-engine/json-scan.js';
import type { Member } from '../../search-engine/json-scan.js';
import { applyEdits, cut } from '../../search-engine/splice.js';

/** Engines keep document metadata under this name. */
const METADATA_ID = '_id';

/** Fields that are tried, in order, where the user names none. */
const DEFAULT_ID_FIELDS = [METADATA_ID, 'id'] as const;

export type Identified =
  { readonly id: string | null; readonly source: Buffer } | { readonly problem: string };

/**
 * Reads the id from a JSON object's own bytes. A text or a number is an id; null is none. Every `_id` member is
 * cut out of the source, all other bytes stay. With `idField` the document must have that field.
 */
export function identify(bytes: Buffer, idField: string | null): Identified {
  const { members } = scanDocument(bytes);
  const names = idField === null ? DEFAULT_ID_FIELDS : [idField];
  for (const name of names) {
    const member = memberNamed(bytes, members, name);
    if (member === undefined) continue;
    const id = idOf(bytes, member);
    if (id === null) continue;
    if (id === '') return { problem: `its ${name} is neither a text nor a number` };
    return { id, source: withoutMetadataId(bytes) };
  }
  if (idField !== null) return { problem: `it has no ${idField}, which --id-field names` };
  return { id: null, source: withoutMetadataId(bytes) };
}

/** The id in a member: null for JSON null, empty for what cannot be an id. A number keeps its digits as written. */
function idOf(bytes: Buffer, member: Member): string | null {
  if (isString(bytes, member)) return stringAt(bytes, member.start, member.end);
  const raw = bytes.toString('utf8', member.start, member.end);
  if (raw === 'null') return null;
  return /^-?\d/.test(raw) ? raw : '';
}

function withoutMetadataId(bytes: Buffer): Buffer {
  let source = bytes;
  // Cut one at a time: the comma that goes with a member depends on what is left beside it.
  for (;;) {
    const { open, members, end } = scanDocument(source);
    const found = members.find((member) => hasKey(source, member, METADATA_ID));
    if (found === undefined) return source;
    source = applyEdits(source, [cut(cutRange(source, { start: open, end }, found))]);
  }
}
