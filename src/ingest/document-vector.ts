/** Puts a vector into a document's source bytes. The vector field is ours: what a client wrote there is replaced. */
import { documentText } from '../search-engine/document-text.js';
import { cutRanges, hasKey, scanObject, skipWhitespace } from '../search-engine/json-scan.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import { applyEdits, cut, insertAt, type Edit } from '../search-engine/splice.js';
import { encodePayload, hashText } from '../search-engine/vector-payload.js';

/** Text of the source to be encoded; undefined where it has none. Throws JsonScanError where it is no JSON object. */
export function textOfSource(source: Buffer, settings: IndexSettings): string | undefined {
  return documentText(source, skipWhitespace(source, 0), settings.textFields);
}

/**
 * The source with its vector as first member, so that cutting it out again gives the bytes that the client sent.
 * Without text and vector, a vector field that is there already is taken out: it cannot be of this text.
 */
export function withVector(
  source: Buffer,
  settings: IndexSettings,
  encoded?: { readonly text: string; readonly vector: Float32Array },
): Buffer {
  const open = skipWhitespace(source, 0);
  const { members, end } = scanObject(source, open);
  const old = members.filter((member) => hasKey(source, member, settings.vectorField));
  const edits: Edit[] = cutRanges(source, { start: open, end }, members, old).map(cut);
  if (encoded !== undefined) {
    const payload = encodePayload({
      codec: settings.codec,
      fingerprint: settings.fingerprint,
      textHash: hashText(encoded.text),
      vector: encoded.vector,
    });
    const comma = members.length > old.length ? ',' : '';
    edits.unshift(insertAt(open + 1, `${JSON.stringify(settings.vectorField)}:"${payload}"${comma}`));
  }
  return applyEdits(source, edits);
}
