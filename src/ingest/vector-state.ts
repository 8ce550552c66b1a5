/** Whether the vector that a document holds is the one that its text, its model and its index ask for. */
import { textOfMembers } from '../search-engine/document-text.js';
import { memberWithValue } from '../search-engine/json-members.js';
import { isArray, isString, scanDocument, type Member } from '../search-engine/json-scan.js';
import { vectorFields, type IndexSettings } from '../search-engine/mapping-meta.js';
import { hashText, readHeader } from '../search-engine/vector-payload.js';
import { haveSameEncoder } from '../search-engine/other-model.js';

/** Why a stored vector cannot stay. */
export type Unfit =
  /** Made from another text. */
  | 'stale'
  | 'other_model'
  /** No vector of ours: not base64, cut off, of an unknown form. */
  | 'malformed'
  /** Of this text and model, but not stored in the way that the index is set up for. */
  | 'other_storage';

/** A document's text (undefined where it has none) and its stored vector; one that lacks a field is missing. */
export type VectorState =
  | { readonly text: string; readonly vector: 'fresh' | 'missing' | Unfit }
  | { readonly text: undefined; readonly vector: 'missing' | 'without_text' };

/** Compares text and stored vector of a source. Throws JsonScanError where it is no JSON object. */
export function vectorState(source: Buffer, settings: IndexSettings): VectorState {
  const { members } = scanDocument(source);
  const text = textOfMembers(source, members, settings.textFields);
  const [binary, native] = vectorFields(settings).map((field) => memberWithValue(source, members, field));
  if (text === undefined)
    return { text, vector: binary === undefined && native === undefined ? 'missing' : 'without_text' };
  if (binary === undefined) return { text, vector: 'missing' };
  const state = fitness(source, binary, text, settings);
  const lacksNative = settings.native !== undefined && (native === undefined || !isArray(source, native));
  return { text, vector: state === 'fresh' && lacksNative ? 'missing' : state };
}

function fitness(source: Buffer, stored: Member, text: string, settings: IndexSettings): 'fresh' | Unfit {
  if (!isString(source, stored)) return 'malformed';
  // Base64 needs no escapes; what holds any is found to be malformed.
  const header = readHeader(
    Buffer.from(source.toString('latin1', stored.start + 1, stored.end - 1), 'base64'),
  );
  if (header === undefined) return 'malformed';
  if (!haveSameEncoder(header, settings)) return 'other_model';
  if (header.textHash !== hashText(text)) return 'stale';
  const wanted = settings.native?.values === 'instead' ? 'native' : settings.codec;
  return header.codec === wanted ? 'fresh' : 'other_storage';
}
