/** How a document's vector stands to its text. */
import {
  isString,
  memberNamed,
  scanObject,
  skipWhitespace,
  stringAt,
} from '../../search-engine/json-scan.js';
import { textOfMembers } from '../../search-engine/document-text.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { hashText, readHeader } from '../../search-engine/vector-payload.js';
import { vectorFields } from '../document-vector.js';

export type VectorState =
  /** Every field is there, of this text and this model. */
  | 'fresh'
  /** There is no text, and nothing of a vector. */
  | 'no_text'
  /** There is none, or it is of another text (or of one that is gone), or of another model. */
  | 'stale';

/** State of the vector in a source. Throws JsonScanError where it is no JSON object. */
export function vectorState(source: Buffer, settings: IndexSettings): VectorState {
  const { members } = scanObject(source, skipWhitespace(source, 0));
  const text = textOfMembers(source, members, settings.textFields);
  if (text === undefined) {
    const isThere = (field: string): boolean => {
      const stored = memberNamed(source, members, field);
      return stored !== undefined && source.toString('latin1', stored.start, stored.end) !== 'null';
    };
    return vectorFields(settings).some(isThere) ? 'stale' : 'no_text';
  }
  const stored = memberNamed(source, members, settings.vectorField);
  if (stored === undefined || !isString(source, stored)) return 'stale';
  const header = readHeader(Buffer.from(stringAt(source, stored.start, stored.end), 'base64'));
  return header?.fingerprint === settings.fingerprint &&
    header.dimensions === settings.dimensions &&
    header.textHash === hashText(text)
    ? 'fresh'
    : 'stale';
}
