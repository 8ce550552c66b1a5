/** A store in memory, held to the same contract as the engine's. */
import type {
  DocumentStore,
  DocumentVersion,
  JobDocument,
  StoredDocument,
} from '../../../src/ingest/reindex/jobs/document-store.js';

export interface MemoryStore extends DocumentStore {
  /** Called before each write; what it throws is thrown, before or after the write has taken effect. */
  onWrite: (id: string, document: JobDocument) => 'lose the answer' | undefined;
}

export function createMemoryStore(unavailable: () => Error): MemoryStore {
  const documents = new Map<string, StoredDocument>();
  let seqNo = 0;
  const put = (id: string, document: JobDocument): DocumentVersion => {
    const fate = store.onWrite(id, document);
    const version = { seqNo: seqNo++, primaryTerm: 1 };
    documents.set(id, { version, document: structuredClone({ ...document }) });
    if (fate === 'lose the answer') throw unavailable();
    return version;
  };
  const settled = async <T>(work: () => T): Promise<T> => {
    await new Promise((resolve) => setImmediate(resolve));
    return work();
  };
  const store: MemoryStore = {
    onWrite: () => undefined,
    prepare: () => Promise.resolve(),
    get: (ids) => settled(() => ids.map((id) => documents.get(id))),
    create: (id, document) => settled(() => (documents.has(id) ? undefined : put(id, document))),
    replace: (id, document, version) =>
      settled(() => (documents.get(id)?.version.seqNo === version.seqNo ? put(id, document) : undefined)),
    remove: (ids) =>
      settled(() => {
        for (const id of ids) documents.delete(id);
      }),
    list: () =>
      settled(() =>
        [...documents]
          .filter(([, { document }]) => document['kind'] === 'job')
          .map(([id, stored]) => ({ id, stored }))
          .sort((a, b) =>
            String(b.stored.document['updated']).localeCompare(String(a.stored.document['updated'])),
          ),
      ),
  };
  return store;
}
