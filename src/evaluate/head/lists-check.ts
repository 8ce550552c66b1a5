/** Refuses judged queries from which no order can be learned. Pure. */
import { TwinrankError } from '../../errors.js';
import type { UnknownDocuments } from '../judged-documents.js';
import type { Qrels } from '../qrels.js';
import type { Query } from '../queries.js';
import { measurable } from '../run-evaluation.js';

const FEWEST_QUERIES = 30;
const ENOUGH_QUERIES = 200;
const SHOWN = 5;

/** The queries that have a relevant document. Throws `bad_input_file` where they are too few. */
export function trainableQueries(
  queries: readonly Query[],
  qrels: Qrels,
  queriesFile: string,
  qrelsFile: string,
): readonly Query[] {
  const { queries: usable, unjudged } = measurable({ queries, qrels });
  if (usable.length >= FEWEST_QUERIES) return usable;
  const judged = queries.length - unjudged;
  const ids = judged === 0 ? ' Do the query ids of the two files agree?' : '';
  throw new TwinrankError(
    'bad_input_file',
    `Of ${queries.length} queries in ${queriesFile}, ${judged} are judged in ${qrelsFile} and ${usable.length} have a relevant document.${ids} ` +
      `At least ${FEWEST_QUERIES} are needed; from ${ENOUGH_QUERIES} on, small gains show.`,
  );
}

/**
 * A warning of judged documents that the index does not have, or null where there are none. Throws `bad_input_file`
 * where a half or more are unknown: then the file is most likely of another index.
 */
export function unknownDocumentsWarning(
  { judged, unknown }: UnknownDocuments,
  qrelsFile: string,
  index: string,
): string | null {
  if (unknown.length === 0) return null;
  const shown = unknown.slice(0, SHOWN).join(', ') + (unknown.length > SHOWN ? ', ...' : '');
  const what = `${qrelsFile}: ${unknown.length} of ${judged} judged documents are not in the index ${index}, or have no text (${shown})`;
  if (2 * unknown.length < judged) return `${what}; they are left out.`;
  throw new TwinrankError(
    'bad_input_file',
    `${what}. Is this the right index, and are all documents loaded?`,
  );
}
