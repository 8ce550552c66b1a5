/**
 * Writes documents back under a guard: each goes only over the very version that was read, so an edit by somebody
 * else is never overwritten; it shows as a conflict.
 */
import { createBulkSend } from '../../search-engine/bulk-send.js';
import {
  createBulkWriter,
  type BulkOperation,
  type BulkWriterOptions,
} from '../../search-engine/bulk-writer.js';
import type { EngineClient } from '../../search-engine/client.js';
import { createDocumentSend } from '../../search-engine/document-send.js';
import type { ReindexTarget } from './deps.js';
import { RESTART_BACK_OFF } from './patient-read.js';
import type { StoredDocument } from './stored-document.js';

/** A document with the bytes that it shall have. */
export interface Write {
  readonly document: StoredDocument;
  readonly source: Buffer;
}

/** How a write is guarded. */
export type Guard =
  /** Only over the very version that was read. */
  | 'same'
  /** Into another index, where nothing newer is there. */
  | { readonly newerInto: string }
  /** Only where there is none. */
  | 'absent';

export function guardOf(target: ReindexTarget): Guard {
  return target === 'in_place' ? 'same' : { newerInto: target.dest };
}

export interface Written {
  readonly written: number;
  /** Bytes of requests. */
  readonly bytes: number;
  /** Written by somebody else since they were read; nothing was done. */
  readonly conflicts: readonly Write[];
  readonly failed: readonly {
    readonly document: StoredDocument;
    readonly status: number | null;
    readonly reason: string;
  }[];
}

const CONFLICT = 409;
const NEWLINE = 0x0a;
/** The index's default pipeline has worked on the document when it was first written; not a second time. */
const PARAMETERS = 'pipeline=_none';
/** How bulk requests of a reindex are cut and repeated. */
export const BULK_WRITES: BulkWriterOptions = {
  ...RESTART_BACK_OFF,
  batchDocuments: 1_000,
  batchBytes: 10_000_000,
  concurrency: 1,
};
const ONE_BY_ONE: BulkWriterOptions = {
  ...RESTART_BACK_OFF,
  batchDocuments: 1,
  batchBytes: 1,
  concurrency: 2,
};

/** Resolves when each document has its verdict. Rejects as the bulk writer does. */
export async function writeDocuments(
  client: EngineClient,
  guard: Guard,
  writes: readonly Write[],
  signal: AbortSignal,
): Promise<Written> {
  const lined = writes.filter(({ source }) => !source.includes(NEWLINE));
  const spread = writes.filter(({ source }) => source.includes(NEWLINE));
  let written = 0;
  let bytes = 0;
  const conflicts: Write[] = [];
  const failed: { document: StoredDocument; status: number | null; reason: string }[] = [];
  const pass = async (
    some: readonly Write[],
    send: ReturnType<typeof createBulkSend>,
    options: BulkWriterOptions,
  ): Promise<void> => {
    if (some.length === 0) return;
    const writer = createBulkWriter<Write>(
      {
        send,
        onFailure: ({ origin, status, reason }) => {
          if (status === CONFLICT) conflicts.push(origin);
          else failed.push({ document: origin.document, status, reason });
        },
      },
      options,
    );
    await writer.write(operations(some, guard), signal);
    const statistics = writer.statistics();
    written += statistics.documents;
    bytes += statistics.bytes;
  };
  await pass(lined, createBulkSend(client, null, PARAMETERS), BULK_WRITES);
  await pass(spread, createDocumentSend(client, PARAMETERS), ONE_BY_ONE);
  return { written, bytes, conflicts, failed };
}

async function* operations(writes: readonly Write[], guard: Guard): AsyncGenerator<BulkOperation<Write>> {
  for (const write of writes) {
    const { document, source } = write;
    const action = JSON.stringify(actionOf(document, guard));
    // A second try after a lost answer finds the guard broken, by us or by others: a conflict, which is looked into.
    yield await Promise.resolve({ action, source, key: null, repeatable: true, origin: write });
  }
}

function actionOf(document: StoredDocument, guard: Guard): Readonly<Record<string, unknown>> {
  const { index, id, routing, seqNo, primaryTerm, version } = document;
  const name = { _id: id, ...(routing === undefined ? {} : { routing }) };
  if (guard === 'absent') return { create: { _index: index, ...name } };
  if (guard === 'same')
    return { index: { _index: index, ...name, if_seq_no: seqNo, if_primary_term: primaryTerm } };
  return { index: { _index: guard.newerInto, ...name, version, version_type: 'external_gte' } };
}
