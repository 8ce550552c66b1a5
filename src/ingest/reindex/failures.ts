/** Documents that a reindex could not bring up to date: lines of a file that can be fed back to it. */
import { TwinrankError } from '../../errors.js';
import { asRecord } from '../../search-engine/json-value.js';
import type { DocumentName } from './stored-document.js';

/** Why a document failed. */
export interface ReindexFailure extends DocumentName {
  /** Status that the engine gave; null where no answer came or the failure is not the engine's. */
  readonly status: number | null;
  readonly reason: string;
}

/** A line of the failures file, line end included. It names the document and holds nothing of it. */
export function reindexFailureLine({ index, id, routing, status, reason }: ReindexFailure): string {
  const name = { _index: index, _id: id, ...(routing === undefined ? {} : { _routing: routing }) };
  return `${JSON.stringify({ _failure: { status, reason }, ...name })}\n`;
}

/** The document that a line of a failures file names; undefined for a blank line. Throws `bad_input_file`. */
export function readReindexFailure(line: string, number: number): DocumentName | undefined {
  if (line.trim() === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw badLine(number, 'it is not JSON', error);
  }
  const record = asRecord(parsed);
  const { _index: index, _id: id, _routing: routing } = record;
  if (typeof index !== 'string' || index === '') throw badLine(number, 'it has no _index');
  if (typeof id !== 'string' || id === '') throw badLine(number, 'it has no _id');
  if (routing !== undefined && typeof routing !== 'string') throw badLine(number, '_routing is no text');
  return { index, id, routing };
}

function badLine(number: number, what: string, cause?: unknown): TwinrankError {
  return new TwinrankError(
    'bad_input_file',
    `Line ${number} is no line of a reindex failures file: ${what}. It looks like ` +
      '{"_failure":{"status":null,"reason":"..."},"_index":"products","_id":"7"}.',
    { cause },
  );
}
