/** Which documents of a page a copy into another index need not write again. */
import { JsonScanError } from '../../search-engine/json-scan.js';
import { vectorFields } from '../document-vector.js';
import { vectorState } from '../vector-state.js';
import type { ReindexDeps } from './deps.js';
import { getDocuments } from './get-documents.js';
import type { StoredDocument } from './stored-document.js';

/**
 * For each document whether `dest` holds the same version of it with the vector that its text asks for, or none
 * where it has no text. Only the vectors are read, not the copies.
 */
export async function alreadyCopied(
  { client, settings }: ReindexDeps,
  dest: string,
  documents: readonly StoredDocument[],
  signal: AbortSignal,
): Promise<boolean[]> {
  const names = documents.map(({ id, routing }) => ({ index: dest, id, routing }));
  const [first] = documents;
  if (first === undefined) return [];
  const fields = vectorFields(settings(first.index));
  const copies = await getDocuments(client, names, fields, signal);
  return documents.map((document, i) => {
    const copy = copies[i];
    if (copy?.kind !== 'document' || copy.document.version !== document.version) return false;
    const { source } = copy.document;
    if (document.source === undefined || source === undefined) return false;
    try {
      const { text, vector } = vectorState(document.source, settings(document.index), source);
      return text === undefined ? vector === 'missing' : vector === 'fresh';
    } catch (error) {
      if (error instanceof JsonScanError) return false;
      throw error;
    }
  });
}
