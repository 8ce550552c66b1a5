/**
 * Copies that claim to be newer than the source's documents. Mostly another page has brought a later edit already.
 * But a document that was deleted and made anew begins to count its versions again, and its copy would keep the old
 * content for ever: where the source still holds the version that was refused, that version is right.
 */
import type { ReindexDeps } from './deps.js';
import { isCopy } from './dest-copies.js';
import { getDocuments } from './get-documents.js';
import { NO_COUNTS, type SliceCounts } from './slice.js';
import type { StoredDocument } from './stored-document.js';
import { writeDocuments, type Write, type Written } from './write-documents.js';

export interface Settled {
  readonly counts: SliceCounts;
  /** The source or the copy has changed since; to be looked at anew. */
  readonly again: readonly Write[];
  readonly failed: Written['failed'];
}

/** Settles writes that `dest` refused for holding something newer. */
export async function settleNewer(
  deps: ReindexDeps,
  dest: string,
  refused: readonly Write[],
  signal: AbortSignal,
): Promise<Settled> {
  const { client } = deps;
  const names = refused.map(({ document }) => document);
  const sources = await getDocuments(client, names, false, signal);
  const copies = await getDocuments(
    client,
    names.map(({ id, routing }) => ({ index: dest, id, routing })),
    true,
    signal,
  );
  const again: Write[] = [];
  const over: Write[] = [];
  const anew: Write[] = [];
  let fresh = 0;
  refused.forEach((write, i) => {
    const source = sources[i];
    const copy = copies[i];
    const isCurrent = source?.kind === 'document' && source.document.seqNo === write.document.seqNo;
    if (!isCurrent) again.push(write);
    else if (copy?.kind !== 'document') anew.push({ ...write, document: { ...write.document, index: dest } });
    else if (isCopy(write.source, copy.document.source, deps.settings(write.document.index))) fresh++;
    else over.push({ ...write, document: copy.document });
  });
  const results = [
    await writeDocuments(client, 'same', over, signal),
    await writeDocuments(client, 'absent', anew, signal),
  ];
  const byKey = new Map(refused.map((write) => [keyOf(write.document), write]));
  for (const { document } of results.flatMap(({ conflicts }) => conflicts)) {
    const write = byKey.get(keyOf(document));
    if (write !== undefined) again.push(write);
  }
  return {
    counts: {
      ...NO_COUNTS,
      fresh,
      written: results.reduce((sum, { written }) => sum + written, 0),
      bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    again,
    // Named as in the source, so that the failures file can be fed back.
    failed: results
      .flatMap(({ failed }) => failed)
      .map((failure) => ({
        ...failure,
        document: byKey.get(keyOf(failure.document))?.document ?? failure.document,
      })),
  };
}

function keyOf({ id, routing }: StoredDocument): string {
  return JSON.stringify([id, routing]);
}
