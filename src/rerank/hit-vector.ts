/** The stored vector of a hit: where it is, whether it may be used, and how it is cut out of what the caller gets. */
import { textOfMembers } from '../search-engine/document-text.js';
import { readFloatsText } from '../search-engine/float-text.js';
import {
  cutRange,
  cutRanges,
  isArray,
  isString,
  memberNamed,
  scanArray,
  stringAt,
  type Member,
  type Range,
} from '../search-engine/json-scan.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import {
  decodePayload,
  hashText,
  type NativeValues,
  type PayloadProblem,
} from '../search-engine/vector-payload.js';
import type { HitRanges } from './search-response.js';

/** What vectors must have been made with to be compared with the query's. */
export interface ModelIdentity {
  readonly fingerprint: string;
  readonly dimensions: number;
}

/** Why a hit has no score. */
export type HitProblem = PayloadProblem | 'stale' | 'not_configured';

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
  const payload = decodePayload(stored, model, into, (place) =>
    nativeValues(bytes, hit, settings.native?.field, place),
  );
  if (typeof payload === 'string') return payload;
  if (wholeSource && hit.source !== undefined) {
    const text = textOfMembers(bytes, hit.source.members, settings.textFields);
    if (text === undefined || hashText(text) !== payload.textHash) return 'stale';
  }
  return payload.vector;
}

/** Fields of ours that a caller shall not see, since it did not ask for them by name. */
export interface VectorHiding {
  readonly inSource: readonly string[];
  readonly inFields: readonly string[];
}

/** Ranges to cut so that the caller does not see the vector: the members, and `fields` as a whole where it holds no other. */
export function vectorCuts(bytes: Buffer, hit: HitRanges, hide: VectorHiding): Range[] {
  const { source, fields } = hit;
  const inSource = membersNamed(bytes, source?.members, hide.inSource);
  const inFields = membersNamed(bytes, fields?.members, hide.inFields);
  return [
    ...(source === undefined ? [] : cutRanges(bytes, source, source.members, inSource)),
    ...(fields === undefined
      ? []
      : inFields.length === fields.members.length && inFields.length > 0
        ? [cutRange(bytes, hit, fields)]
        : cutRanges(bytes, fields, fields.members, inFields)),
  ];
}

function membersNamed(
  bytes: Buffer,
  members: readonly Member[] | undefined,
  names: readonly string[],
): readonly Member[] {
  if (members === undefined) return [];
  return names.flatMap((name) => memberNamed(bytes, members, name) ?? []);
}

/** Values of the engine's own vector field, which gives them as a plain list in `_source` and in `fields`. */
function nativeValues(
  bytes: Buffer,
  hit: HitRanges,
  field: string | undefined,
  into: Float32Array,
): ReturnType<NativeValues> {
  if (field === undefined) return 'missing';
  const [member] = [
    ...membersNamed(bytes, hit.source?.members, [field]),
    ...membersNamed(bytes, hit.fields?.members, [field]),
  ];
  if (member === undefined || !isArray(bytes, member)) return 'missing';
  return readFloatsText(bytes, member, into);
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
