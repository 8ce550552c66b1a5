/** Documents of a copy whose original has been deleted meanwhile. */
import { createBulkSend } from '../../search-engine/bulk-send.js';
import { createBulkWriter, type BulkOperation } from '../../search-engine/bulk-writer.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { isRecord } from '../../search-engine/json-value.js';
import { mustSucceed } from './expect-success.js';
import { getDocuments } from './get-documents.js';
import { createPageSize } from './page-size.js';
import { planSlices } from './plan-slices.js';
import { scanSlice } from './scan-slice.js';
import type { StoredDocument } from './stored-document.js';
import { BULK_WRITES } from './write-documents.js';

export interface OrphanResult {
  /** Documents in the source and in the copy after it. */
  readonly source: number;
  readonly dest: number;
  readonly deleted: number;
}

const PAGE = { documents: 1_000, bytes: 10_000_000, seconds: 2 };

/**
 * Deletes in `dest` what `source` no longer holds. Only to be called of a copy that has everything the source has:
 * where the counts are equal then, nothing is looked for.
 */
export async function deleteOrphans(
  client: EngineClient,
  source: string,
  dest: string,
  signal: AbortSignal,
): Promise<OrphanResult> {
  const before = await counts(client, source, dest, signal);
  if (before.source === before.dest) return { ...before, deleted: 0 };
  let deleted = 0;
  const { slices } = await planSlices(client, dest, { signal });
  for (const slice of slices) {
    const size = createPageSize(PAGE);
    for await (const { documents } of scanSlice(client, slice, slice.from, size, signal, false)) {
      const names = documents.map(({ id, routing }) => ({ index: source, id, routing }));
      const originals = await getDocuments(client, names, false, signal);
      const orphans = documents.filter((_, i) => originals[i]?.kind === 'gone');
      deleted += await deleteAll(client, orphans, signal);
    }
  }
  return { ...(await counts(client, source, dest, signal)), deleted };
}

async function deleteAll(
  client: EngineClient,
  documents: readonly StoredDocument[],
  signal: AbortSignal,
): Promise<number> {
  if (documents.length === 0) return 0;
  const writer = createBulkWriter<null>(
    // What cannot be deleted shows in the counts.
    { send: createBulkSend(client, null), onFailure: () => undefined },
    BULK_WRITES,
  );
  await writer.write(deletions(documents), signal);
  return writer.statistics().documents;
}

async function* deletions(documents: readonly StoredDocument[]): AsyncGenerator<BulkOperation<null>> {
  for (const { index, id, routing, seqNo, primaryTerm } of documents) {
    const metadata = {
      _index: index,
      _id: id,
      ...(routing === undefined ? {} : { routing }),
      if_seq_no: seqNo,
      if_primary_term: primaryTerm,
    };
    const action = JSON.stringify({ delete: metadata });
    yield await Promise.resolve({ action, source: null, key: null, repeatable: true, origin: null });
  }
}

async function counts(
  client: EngineClient,
  source: string,
  dest: string,
  signal: AbortSignal,
): Promise<{ readonly source: number; readonly dest: number }> {
  const both = `${encodeExpression(source)},${encodeExpression(dest)}`;
  await mustSucceed(client, `refresh "${dest}"`, { method: 'POST', path: `/${both}/_refresh`, signal });
  const count = async (index: string): Promise<number> => {
    const path = `/${encodeExpression(index)}/_count`;
    const answer = await mustSucceed(client, `count "${index}"`, { method: 'GET', path, signal });
    return isRecord(answer.body) ? Number(answer.body['count']) : Number.NaN;
  };
  return { source: await count(source), dest: await count(dest) };
}
