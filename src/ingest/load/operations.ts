/** Documents as operations of the bulk writer. */
import type { BulkOperation } from '../../search-engine/bulk-writer.js';
import type { LoadDocument } from './document.js';

/** `index` replaces a document of the same id, `create` refuses it (and is what data streams take). */
export type WriteMode = 'index' | 'create';

/** The operation that writes a document. Without an id, or as `create`, it must not be repeated blindly. */
export function operationOf(document: LoadDocument, mode: WriteMode): BulkOperation<LoadDocument> {
  const { id, source } = document;
  return {
    action: JSON.stringify({ [mode]: id === null ? {} : { _id: id } }),
    source,
    key: id,
    repeatable: mode === 'index' && id !== null,
    origin: document,
  };
}
