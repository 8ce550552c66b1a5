/** The body of an update: where its documents are, and whether its `doc` bears on the text that is encoded. */
import {
  isObject,
  JsonScanError,
  memberNamed,
  scanObject,
  skipWhitespace,
  type Member,
  type Range,
} from '../../search-engine/json-scan.js';
import { applyEdits, type Edit } from '../../search-engine/splice.js';
import { pathsByKey } from './merge-documents.js';

/** What of an update matters here; ranges lie in its bytes. */
export interface UpdateBody {
  /** The partial document. */
  readonly doc: Range | undefined;
  /** The document to store where there is none. */
  readonly upsert: Range | undefined;
  readonly hasScript: boolean;
  /** Where there is no document, `doc` is one. */
  readonly docAsUpsert: boolean;
}

/** Reads an update body. Throws JsonScanError where it, its `doc` or its `upsert` is no JSON object. */
export function readUpdateBody(bytes: Buffer): UpdateBody {
  const { members } = scanObject(bytes, skipWhitespace(bytes, 0));
  const objectNamed = (name: string): Range | undefined => {
    const member = memberNamed(bytes, members, name);
    if (member !== undefined && !isObject(bytes, member)) throw new JsonScanError('an object', member.start);
    return member;
  };
  const asUpsert = memberNamed(bytes, members, 'doc_as_upsert');
  return {
    doc: objectNamed('doc'),
    upsert: objectNamed('upsert'),
    hasScript: memberNamed(bytes, members, 'script') !== undefined,
    // The engine takes the word as a string too.
    docAsUpsert: asUpsert !== undefined && /^"?true"?$/.test(textOf(bytes, asUpsert)),
  };
}

/** Whether a partial document bears on a text. */
export type Touch =
  | 'no'
  /** It holds an object that a text field could be in, but not the field: that matters only if it replaces a list. */
  | 'around'
  /** It sets a text field, or replaces what that field is in. */
  | 'some'
  /** It says of every text field what it shall be. */
  | 'all';

/** How a partial document bears on the text of these fields. Throws JsonScanError where it is no JSON object. */
export function touchOf(doc: Buffer, fields: readonly string[]): Touch {
  const { members } = scanObject(doc, skipWhitespace(doc, 0));
  const touches = fields.map((field) => fieldTouch(doc, members, field));
  if (touches.every((touch) => touch === 'all')) return 'all';
  if (touches.some((touch) => touch === 'all' || touch === 'some')) return 'some';
  return touches.includes('around') ? 'around' : 'no';
}

function fieldTouch(doc: Buffer, members: readonly Member[], field: string): Touch {
  let touch: Touch = 'no';
  for (const [key, rests] of pathsByKey([field])) {
    const member = memberNamed(doc, members, key);
    if (member === undefined) continue;
    if (key === field || !isObject(doc, member)) return 'all';
    touch = 'around';
    const inside = scanObject(doc, member.start).members;
    if (rests.some((rest) => fieldTouch(doc, inside, rest) === 'all')) return 'all';
  }
  return touch;
}

/** The body with documents put in the places of those that stand there. */
export function withDocuments(
  bytes: Buffer,
  documents: readonly (readonly [place: Range, document: Buffer])[],
): Buffer {
  const edits: Edit[] = documents.map(([{ start, end }, document]) => ({ start, end, bytes: document }));
  return applyEdits(bytes, edits);
}

function textOf(bytes: Buffer, { start, end }: Range): string {
  // Longer than any truth, and short enough to look at.
  return bytes.toString('latin1', start, Math.min(end, start + 10));
}
