/** What the readers of the loader hand on: a document with its own bytes, or the reason why there is none. */

/** A document ready to be written; `source` holds its bytes as they stand in the file, `_id` cut out. */
export interface LoadDocument {
  /** Line of the file where the document starts, from 1. */
  readonly line: number;
  /** Null where the engine is to make one. */
  readonly id: string | null;
  readonly source: Buffer;
}

/** A line or record that is no document. */
export interface MalformedDocument {
  readonly line: number;
  readonly problem: string;
  /** The line as it stood in the file; cut where it was too long to keep. */
  readonly raw: Buffer;
}

export type ReadDocument = LoadDocument | MalformedDocument;

/** True where a reader could make no document of its line. */
export function isMalformed(read: ReadDocument): read is MalformedDocument {
  return 'problem' in read;
}
