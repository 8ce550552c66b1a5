/** Whether the vector that a document holds is the one that its text asks for. */
import { textOfMembers } from '../search-engine/document-text.js';
import { isString, memberNamed, scanDocument, type Member } from '../search-engine/json-scan.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import { hashText, readHeader } from '../search-engine/vector-payload.js';

/** Why a stored vector cannot stay. */
export type Unfit =
  /** Made from another text. */
  | 'stale'
  | 'other_model'
  /** No vector of ours: not base64, cut off, of an unknown form. */
  | 'malformed'
  /** Stored in another codec than the index is set up for. */
  | 'other_codec';

/** A document's text (undefined where it has none) and its stored vector. */
export type VectorState =
  | { readonly text: string; readonly vector: 'fresh' | 'missing' | Unfit }
  | { readonly text: undefined; readonly vector: 'missing' | 'without_text' };

/** Compares text and stored vector of a source. Throws JsonScanError where it is no JSON object. */
export function vectorState(source: Buffer, settings: IndexSettings): VectorState {
  const { members } = scanDocument(source);
  const text = textOfMembers(source, members, settings.textFields);
  const stored = memberNamed(source, members, settings.vectorField);
  const isMissing = stored === undefined || isNull(source, stored);
  if (text === undefined) return { text, vector: isMissing ? 'missing' : 'without_text' };
  if (isMissing) return { text, vector: 'missing' };
  return { text, vector: fitness(source, stored, text, settings) };
}

function fitness(source: Buffer, stored: Member, text: string, settings: IndexSettings): 'fresh' | Unfit {
  if (!isString(source, stored)) return 'malformed';
  // Base64 needs no escapes; what holds any is found to be malformed.
  const header = readHeader(
    Buffer.from(source.toString('latin1', stored.start + 1, stored.end - 1), 'base64'),
  );
  if (header === undefined) return 'malformed';
  if (header.fingerprint !== settings.fingerprint || header.dimensions !== settings.dimensions)
    return 'other_model';
  if (header.textHash !== hashText(text)) return 'stale';
  return header.codec === settings.codec ? 'fresh' : 'other_codec';
}

function isNull(source: Buffer, { start, end }: Member): boolean {
  return end - start === 4 && source.toString('latin1', start, end) === 'null';
}
