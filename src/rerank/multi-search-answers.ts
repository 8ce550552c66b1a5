/** The answers in the engine's answer to `_msearch`, by their places. Pure. */
import { TwinrankError } from '../errors.js';
import {
  isArray,
  memberNamed,
  scanArray,
  scanDocument,
  scanObject,
  type Range,
} from '../search-engine/json-scan.js';

/**
 * Ranges of the answers. Throws `upstream_answer` where there are not as many as searches, JsonScanError where the
 * bytes are no JSON.
 */
export function answerRanges(bytes: Buffer, count: number): readonly Range[] {
  const responses = memberNamed(bytes, scanDocument(bytes).members, 'responses');
  const elements =
    responses !== undefined && isArray(bytes, responses) ? scanArray(bytes, responses.start).elements : [];
  if (elements.length !== count)
    throw new TwinrankError(
      'upstream_answer',
      `The engine answered ${elements.length} of ${count} searches.`,
    );
  return elements;
}

/** True where the engine answers a search with an error. */
export function isError(bytes: Buffer, range: Range | undefined): boolean {
  return (
    range !== undefined && memberNamed(bytes, scanObject(bytes, range.start).members, 'error') !== undefined
  );
}
