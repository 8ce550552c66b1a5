/** The work on some documents, wherever they come from: judge, encode, write, look again at what others edited. */
import { asTwinrankError, TwinrankError } from '../../errors.js';
import { JsonScanError } from '../../search-engine/json-scan.js';
import { withVector } from '../document-vector.js';
import type { ReindexDeps } from './deps.js';
import { alreadyCopied } from './dest-copies.js';
import { encodeTexts } from './encode-texts.js';
import { currentDocuments } from './get-documents.js';
import { judge, type Judgement } from './judge.js';
import { addCounts, NO_COUNTS, type SliceCounts } from './slice.js';
import { UNREADABLE_SOURCE, type StoredDocument } from './stored-document.js';
import { settleNewer } from './newer-copies.js';
import { guardOf, writeDocuments, type Write } from './write-documents.js';

/** Brings documents up to date; resolves when each is settled. Rejects where the work as a whole cannot go on. */
export type WorkOnDocuments = (
  documents: readonly StoredDocument[],
  signal: AbortSignal,
) => Promise<SliceCounts>;

/** How often a document is read again that others edit while it is worked on. */
const CONFLICT_TRIES = 5;

export function createPageWorker(deps: ReindexDeps): WorkOnDocuments {
  const { client, encoder, throttle, onFailure, target } = deps;

  const fail = (document: StoredDocument, status: number | null, reason: string): Partial<SliceCounts> => {
    const { index, id, routing } = document;
    onFailure({ index, id, routing, status, reason });
    return { failed: 1 };
  };

  async function work(
    documents: readonly StoredDocument[],
    all: boolean,
    tries: number,
    signal: AbortSignal,
  ): Promise<SliceCounts> {
    let counts = NO_COUNTS;
    const add = (more: Partial<SliceCounts>): void => {
      counts = addCounts(counts, more);
    };
    const isCopied =
      target === 'in_place' || all ? undefined : await alreadyCopied(deps, target.dest, documents, signal);
    const toEncode: { readonly document: StoredDocument; readonly source: Buffer; readonly text: string }[] =
      [];
    const writes: Write[] = [];
    documents.forEach((document, i) => {
      if (isCopied?.[i] === true) return add({ fresh: 1 });
      const judged = judgeSafely(document, all);
      if (judged instanceof TwinrankError) return add(fail(document, null, judged.message));
      const { source, judgement } = judged;
      if (judgement === 'fresh' || judgement === 'no_text') {
        if (target !== 'in_place') writes.push({ document, source });
        else add(judgement === 'fresh' ? { fresh: 1 } : { noText: 1 });
      } else if (judgement.work === 'encode') toEncode.push({ document, source, text: judgement.text });
      else writes.push({ document, source: withVector(source, deps.settings(document.index)) });
    });
    const vectors = await encodeTexts(
      encoder,
      toEncode.map(({ text }) => text),
      signal,
    );
    toEncode.forEach(({ document, source, text }, i) => {
      const vector = vectors[i];
      if (vector instanceof Float32Array)
        writes.push({
          document,
          source: withVector(source, deps.settings(document.index), { text, vector }),
        });
      else add(fail(document, null, vector?.message ?? 'The encoder gave no vector.'));
    });
    if (writes.length > 0) {
      await throttle.take(
        writes.length,
        writes.reduce((sum, { source }) => sum + source.length, 0),
        signal,
      );
      const { written, bytes, conflicts, failed } = await writeDocuments(
        client,
        guardOf(target),
        writes,
        signal,
      );
      add({ written, bytes });
      for (const { document, status, reason } of failed) add(fail(document, status, reason));
      if (conflicts.length > 0) {
        const settled =
          target === 'in_place'
            ? { again: conflicts, counts: NO_COUNTS, failed: [] }
            : await settleNewer(deps, target.dest, conflicts, signal);
        add(settled.counts);
        for (const { document, status, reason } of settled.failed) add(fail(document, status, reason));
        add(await again(settled.again, tries, signal));
      }
    }
    return counts;
  }

  async function again(
    conflicts: readonly Write[],
    tries: number,
    signal: AbortSignal,
  ): Promise<SliceCounts> {
    const names = conflicts.map(({ document }) => document);
    if (tries >= CONFLICT_TRIES) {
      const reason = `It was edited by others again each of the ${CONFLICT_TRIES + 1} times it was read.`;
      for (const document of names) fail(document, 409, reason);
      return { ...NO_COUNTS, failed: names.length };
    }
    const { documents, vanished, failures } = await currentDocuments(client, names, signal);
    failures.forEach(onFailure);
    // Whoever edited it may have made a fresh vector too: that is not made anew even with `all`.
    const worked = await work(documents, false, tries + 1, signal);
    return addCounts(worked, { vanished, failed: failures.length });
  }

  function judgeSafely(
    document: StoredDocument,
    all: boolean,
  ): { readonly source: Buffer; readonly judgement: Judgement } | TwinrankError {
    const { source } = document;
    if (source === undefined) return new TwinrankError('upstream_answer', UNREADABLE_SOURCE);
    try {
      return { source, judgement: judge(source, deps.settings(document.index), all) };
    } catch (error) {
      if (error instanceof JsonScanError)
        return new TwinrankError('upstream_answer', `Its _source cannot be read: ${error.message}.`);
      throw asTwinrankError(error);
    }
  }

  return async (documents, signal) => {
    const counts = await work(documents, deps.all === true, 0, signal);
    return { ...counts, documents: documents.length };
  };
}
