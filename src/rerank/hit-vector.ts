/** The stored vector of a hit: where it is, whether it may be used, and how it is cut out of what the caller gets. */
import { textOfMembers } from '../search-engine/document-text.js';
import {
  cutRange,
  isArray,
  isString,
  memberNamed,
  scanArray,
  stringAt,
  type Member,
  type Range,
} from '../search-engine/json-scan.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import { decodePayload, hashText, type PayloadProblem } from '../search-engine/vector-payload.js';
import type { HitRanges } from './search-response.js';

/** What vectors must have been made with to be compared with the query's. */
export interface ModelIdentity {
  readonly fingerprint: string;
  readonly dimensions: number;
}

/** Why a hit has no score. */
export type HitProblem = PayloadProblem | 'missing' | 'stale' | 'not_configured';

/** A vector fit for the model, or the reason why there is none. */
export type HitVector = Float32Array | HitProblem;

/**
 * Reads a hit's vector from its `_source` or from `fields`. Where the whole `_source` is there, the vector must
 * have been made from the very text that is there now, else it is `stale`; a filtered one cannot tell.
 */
export function hitVector(
  bytes: Buffer,
  hit: HitRanges,
  settings: IndexSettings | undefined,
  model: ModelIdentity,
  wholeSource: boolean,
  into?: Float32Array,
): HitVector {
  if (settings === undefined) return 'not_configured';
  const stored =
    storedIn(bytes, hit.source?.members, settings.vectorField) ??
    storedIn(bytes, hit.fields?.members, settings.vectorField);
  if (stored === undefined) return 'missing';
  const payload = decodePayload(stored, model, into);
  if (typeof payload === 'string') return payload;
  if (wholeSource && hit.source !== undefined) {
    const text = textOfMembers(bytes, hit.source.members, settings.textFields);
    if (text === undefined || hashText(text) !== payload.textHash) return 'stale';
  }
  return payload.vector;
}

/** Where a caller shall not see the vector. */
export interface VectorHiding {
  /** In `_source`: unless the caller asked for the field by its name. */
  readonly inSource: boolean;
  /** In `fields`: where we asked for it ourselves. */
  readonly inFields: boolean;
}

/** Ranges to cut so that the caller does not see the vector: the member, and `fields` as a whole where only we filled it. */
export function vectorCuts(bytes: Buffer, hit: HitRanges, vectorField: string, hide: VectorHiding): Range[] {
  const cuts: Range[] = [];
  const { source, fields } = hit;
  const inSource = source === undefined ? undefined : memberNamed(bytes, source.members, vectorField);
  if (source !== undefined && inSource !== undefined && hide.inSource)
    cuts.push(cutRange(bytes, source, inSource));
  const inFields = fields === undefined ? undefined : memberNamed(bytes, fields.members, vectorField);
  if (fields !== undefined && inFields !== undefined && hide.inFields) {
    cuts.push(fields.members.length === 1 ? cutRange(bytes, hit, fields) : cutRange(bytes, fields, inFields));
  }
  return cuts;
}

/** Base64 text of the vector: a string in `_source`, a list of one string in `fields`. */
function storedIn(
  bytes: Buffer,
  members: readonly Member[] | undefined,
  vectorField: string,
): string | undefined {
  const member = members === undefined ? undefined : memberNamed(bytes, members, vectorField);
  if (member === undefined) return undefined;
  const value: Range | undefined = isArray(bytes, member)
    ? scanArray(bytes, member.start).elements[0]
    : member;
  if (value === undefined || !isString(bytes, value)) return undefined;
  // Base64 is ASCII; only a printer that escapes "/" makes it more than that.
  const text = bytes.toString('latin1', value.start + 1, value.end - 1);
  return text.includes('\\') ? stringAt(bytes, value.start, value.end) : text;
}
