/** Puts a vector into a document's source bytes. The vector field is ours: what a client wrote there is replaced. */
import { documentText } from '../search-engine/document-text.js';
import { floatsText } from '../search-engine/float-text.js';
import { memberWithValue } from '../search-engine/json-members.js';
import { cutRanges, hasKey, scanObject, skipWhitespace } from '../search-engine/json-scan.js';
import { vectorFields, type IndexSettings } from '../search-engine/mapping-meta.js';
import { applyEdits, cut, insertAt, type Edit } from '../search-engine/splice.js';
import { encodePayload, hashText } from '../search-engine/vector-payload.js';

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

/** True where a field that is ours holds something already. Throws JsonScanError where this is no JSON object. */
export function hasVector(source: Buffer, settings: IndexSettings): boolean {
  const { members } = scanObject(source, skipWhitespace(source, 0));
  return vectorFields(settings).some((field) => memberWithValue(source, members, field) !== undefined);
}

/**
 * The source with its vector as first member, so that cutting it out again gives the bytes that the client sent.
 * Without text and vector, a vector field that is there already is taken out: it cannot be of this text.
 */
export function withVector(source: Buffer, settings: IndexSettings, encoded?: EncodedText): Buffer {
  return withMembers(source, settings, encoded === undefined ? '' : vectorMembers(settings, encoded));
}

/** The object with these members first, in the place of those that are ours; an empty text puts none in. */
export function withMembers(source: Buffer, settings: IndexSettings, ourMembers: string): Buffer {
  const open = skipWhitespace(source, 0);
  const { members, end } = scanObject(source, open);
  const ours = vectorFields(settings);
  const old = members.filter((member) => ours.some((field) => hasKey(source, member, field)));
  const edits: Edit[] = cutRanges(source, { start: open, end }, members, old).map(cut);
  if (ourMembers !== '') {
    const comma = members.length > old.length ? ',' : '';
    edits.unshift(insertAt(open + 1, `${ourMembers}${comma}`));
  }
  return applyEdits(source, edits);
}
