/**
 * The file of documents that were not written. Each line wraps a document beside the reason, and the loader
 * takes the wrapping off again, so that the file itself can be loaded once the reason is gone.
 */
import { memberNamed, isObject, isString, scanDocument, stringAt } from '../../search-engine/json-scan.js';

/** Key that marks a wrapped line. */
const MARK = '_failure';

/** Why a document was not written. */
export interface Failure {
  readonly line: number;
  /** Status that the engine gave the item, or null where no answer came or none was asked. */
  readonly status: number | null;
  readonly reason: string;
}

/** A line of the failures file, line end included: the document's own bytes stay as they are. */
export function failureLine(
  failure: Failure,
  document: { readonly id: string | null; readonly source: Buffer },
): Buffer {
  const id = document.id === null ? '' : `"_id":${JSON.stringify(document.id)},`;
  return Buffer.concat([
    Buffer.from(`{"${MARK}":${JSON.stringify(failure)},${id}"_source":`),
    document.source,
    Buffer.from('}\n'),
  ]);
}

/** The same for a line that was no document; loading it again reports it again. */
export function malformedLine(failure: Failure, raw: Buffer): Buffer {
  return Buffer.from(
    `{"${MARK}":${JSON.stringify(failure)},"_line":${JSON.stringify(raw.toString('utf8'))}}\n`,
  );
}

export type Unwrapped =
  { readonly source: Buffer; readonly id?: string | null } | { readonly problem: string };

/** The document in a line: taken out of its wrapping where it is a line of a failures file, else the line itself. */
export function unwrapFailure(bytes: Buffer): Unwrapped {
  const { members } = scanDocument(bytes);
  const mark = memberNamed(bytes, members, MARK);
  if (mark === undefined || !isObject(bytes, mark)) return { source: bytes };
  const source = memberNamed(bytes, members, '_source');
  if (source === undefined || !isObject(bytes, source)) {
    return {
      problem: 'it is listed as malformed in a failures file; put the corrected document in its place',
    };
  }
  const id = memberNamed(bytes, members, '_id');
  return {
    source: bytes.subarray(source.start, source.end),
    id: id !== undefined && isString(bytes, id) ? stringAt(bytes, id.start, id.end) : null,
  };
}
