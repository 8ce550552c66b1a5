/** Which documents of a page a copy into another index need not write again. */
import { JsonScanError } from '../../search-engine/json-scan.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { withVector } from '../document-vector.js';
import { vectorState } from '../vector-state.js';
import type { ReindexDeps } from './deps.js';
import { getDocuments } from './get-documents.js';
import type { StoredDocument } from './stored-document.js';

/**
 * For each document whether `dest` holds it as it is, in the same version. The version alone does not tell: a
 * document that was deleted and made anew can have that of its forerunner.
 */
export async function alreadyCopied(
  { client, settings }: ReindexDeps,
  dest: string,
  documents: readonly StoredDocument[],
  signal: AbortSignal,
): Promise<boolean[]> {
  const names = documents.map(({ id, routing }) => ({ index: dest, id, routing }));
  const copies = await getDocuments(client, names, true, signal);
  return documents.map(({ index, source, version }, i) => {
    const copy = copies[i];
    return (
      copy?.kind === 'document' &&
      copy.document.version === version &&
      isCopy(source, copy.document.source, settings(index))
    );
  });
}

/** True where the copy has the same bytes besides its vector, and that is of its text. */
export function isCopy(
  source: Buffer | undefined,
  copy: Buffer | undefined,
  settings: IndexSettings,
): boolean {
  if (source === undefined || copy === undefined) return false;
  try {
    const { text, vector } = vectorState(copy, settings);
    const isUpToDate = text === undefined ? vector === 'missing' : vector === 'fresh';
    return isUpToDate && withVector(copy, settings).equals(withVector(source, settings));
  } catch (error) {
    if (error instanceof JsonScanError) return false;
    throw error;
  }
}
