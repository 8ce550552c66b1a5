/**
 * What jobs need of a store: documents with compare-and-set. Reads by id see the last write at once; only `list`
 * may lag behind.
 */

/** Names one state of a document. */
export interface DocumentVersion {
  readonly seqNo: number;
  readonly primaryTerm: number;
}

/** What is stored: the fields that can be searched, and the rest in `body`. */
export interface JobDocument {
  readonly job: string;
  readonly kind: 'job' | 'slice';
  readonly state: string;
  /** ISO time, for people: clocks of different machines are never compared. */
  readonly updated: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface StoredDocument {
  readonly version: DocumentVersion;
  /** As found: whoever reads it checks it. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Rejects with `overloaded`, `not_ready`, `upstream_unreachable` or `upstream_timeout` where a later try may
 * succeed, and with `upstream_answer` where it will not.
 */
export interface DocumentStore {
  /** Makes what is needed to write. Idempotent. */
  prepare(signal?: AbortSignal): Promise<void>;
  /** In the order of the ids; undefined where there is none. */
  get(ids: readonly string[], signal?: AbortSignal): Promise<readonly (StoredDocument | undefined)[]>;
  /** Undefined where a document of that id exists. */
  create(id: string, document: JobDocument, signal?: AbortSignal): Promise<DocumentVersion | undefined>;
  /** Undefined where the document is no longer the one of that version. */
  replace(
    id: string,
    document: JobDocument,
    version: DocumentVersion,
    signal?: AbortSignal,
  ): Promise<DocumentVersion | undefined>;
  /** Removes what there is of these. */
  remove(ids: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Jobs by id, the latest first. */
  list(signal?: AbortSignal): Promise<readonly { readonly id: string; readonly stored: StoredDocument }[]>;
}
