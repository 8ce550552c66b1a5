/** What a stored document's vector says of itself. */
import {
  isString,
  memberNamed,
  scanObject,
  skipWhitespace,
  stringAt,
} from '../../search-engine/json-scan.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { hashText, readHeader } from '../../search-engine/vector-payload.js';
import { vectorFields } from '../document-vector.js';

/** True where the source holds a vector of this text, by this index's model. Throws JsonScanError on bad JSON. */
export function hasVectorOf(source: Buffer, settings: IndexSettings, text: string): boolean {
  const { members } = scanObject(source, skipWhitespace(source, 0));
  const stored = memberNamed(source, members, settings.vectorField);
  if (stored === undefined || !isString(source, stored)) return false;
  const header = readHeader(Buffer.from(stringAt(source, stored.start, stored.end), 'base64'));
  return (
    header?.fingerprint === settings.fingerprint &&
    header.dimensions === settings.dimensions &&
    header.textHash === hashText(text)
  );
}

/** True where the source holds something in a field that is ours. */
export function hasAnyVector(source: Buffer, settings: IndexSettings): boolean {
  const { members } = scanObject(source, skipWhitespace(source, 0));
  return vectorFields(settings).some((field) => {
    const stored = memberNamed(source, members, field);
    return stored !== undefined && source.toString('latin1', stored.start, stored.end) !== 'null';
  });
}
