/** Puts a vector into a document's source bytes. The vector field is ours: what a client wrote there is replaced. */
import { documentText, textOfMembers } from '../search-engine/document-text.js';
import { floatsText } from '../search-engine/float-text.js';
import {
  cutRanges,
  hasKey,
  isArray,
  isString,
  memberNamed,
  scanObject,
  skipWhitespace,
  stringAt,
} from '../search-engine/json-scan.js';
import { vectorFields, type IndexSettings } from '../search-engine/mapping-meta.js';
import { applyEdits, cut, insertAt, type Edit } from '../search-engine/splice.js';
import { encodePayload, hashText, readHeader } from '../search-engine/vector-payload.js';

export { vectorFields } from '../search-engine/mapping-meta.js';

/** Text of the source to be encoded; undefined where it has none. Throws JsonScanError where it is no JSON object. */
export function textOfSource(source: Buffer, settings: IndexSettings): string | undefined {
  return documentText(source, skipWhitespace(source, 0), settings.textFields);
}

/** What is stored beside a text: the text that was encoded and its vector. */
export interface EncodedText {
  readonly text: string;
  readonly vector: Float32Array;
}

/** JSON members, without commas around them, that store a vector in the way the index is set up for. */
export function vectorMembers(settings: IndexSettings, encoded: EncodedText): string {
  const { native } = settings;
  const payload = encodePayload({
    codec: native?.values === 'instead' ? 'native' : settings.codec,
    fingerprint: settings.fingerprint,
    textHash: hashText(encoded.text),
    vector: encoded.vector,
  });
  const member = `${JSON.stringify(settings.vectorField)}:"${payload}"`;
  return native === undefined
    ? member
    : `${member},${JSON.stringify(native.field)}:${floatsText(encoded.vector)}`;
}

/** JSON members that take a stored vector away in a partial update, which can set a field but not remove it. */
export function noVectorMembers(settings: IndexSettings): string {
  return vectorFields(settings)
    .map((field) => `${JSON.stringify(field)}:null`)
    .join(',');
}

/** How a stored document's vector stands to its text and to what its index wants. */
export type VectorState =
  /** Every field is there, of this text and this model. */
  | 'fresh'
  /** There is no text, and nothing of a vector. */
  | 'no_text'
  /** A field is not there, or holds something else than a vector. */
  | 'missing'
  /** Of another text; also where there is no text any more. */
  | 'stale'
  | 'other_model'
  /** Of this text and model, but not stored in the way that the index is set up for. */
  | 'other_storage';

/** State of the vector in a source that is there whole. Throws JsonScanError where it is no JSON object. */
export function vectorState(source: Buffer, settings: IndexSettings): VectorState {
  const { members } = scanObject(source, skipWhitespace(source, 0));
  const text = textOfMembers(source, members, settings.textFields);
  const ours = vectorFields(settings).map((field) => {
    const member = memberNamed(source, members, field);
    return member === undefined || source.toString('latin1', member.start, member.end) === 'null'
      ? undefined
      : member;
  });
  const [binary, native] = ours;
  if (text === undefined) return ours.some((member) => member !== undefined) ? 'stale' : 'no_text';
  const header =
    binary === undefined || !isString(source, binary)
      ? undefined
      : readHeader(Buffer.from(stringAt(source, binary.start, binary.end), 'base64'));
  if (header === undefined) return 'missing';
  if (header.fingerprint !== settings.fingerprint || header.dimensions !== settings.dimensions)
    return 'other_model';
  if (header.textHash !== hashText(text)) return 'stale';
  if (settings.native !== undefined && (native === undefined || !isArray(source, native))) return 'missing';
  const wanted = settings.native?.values === 'instead' ? 'native' : settings.codec;
  return header.codec === wanted ? 'fresh' : 'other_storage';
}

/**
 * The source with its vector as first member, so that cutting it out again gives the bytes that the client sent.
 * Without text and vector, a vector field that is there already is taken out: it cannot be of this text.
 */
export function withVector(source: Buffer, settings: IndexSettings, encoded?: EncodedText): Buffer {
  const open = skipWhitespace(source, 0);
  const { members, end } = scanObject(source, open);
  const ours = vectorFields(settings);
  const old = members.filter((member) => ours.some((field) => hasKey(source, member, field)));
  const edits: Edit[] = cutRanges(source, { start: open, end }, members, old).map(cut);
  if (encoded !== undefined) {
    const comma = members.length > old.length ? ',' : '';
    edits.unshift(insertAt(open + 1, `${vectorMembers(settings, encoded)}${comma}`));
  }
  return applyEdits(source, edits);
}
