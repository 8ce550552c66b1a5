/** The work of a job on the real engine. */
import type { EngineClient } from '../../../search-engine/client.js';
import type { ReindexDeps } from '../deps.js';
import { deleteOrphans } from '../orphans.js';
import { planSlices } from '../plan-slices.js';
import type { PreparedTarget } from '../prepare-target.js';
import { finishDest } from '../prepare-dest.js';
import { runSlice } from '../run-slice.js';
import { concreteIndex, swapAlias } from '../swap.js';
import { blockWrites, openForWrites, unblockWrites } from '../write-block.js';
import type { ReindexWork } from './work.js';

export interface EngineWorkOptions {
  /** About how many documents a slice holds. */
  readonly docsPerSlice: number;
  readonly passBegins: (resumed: boolean) => Promise<void>;
}

export function createEngineWork(
  deps: Omit<ReindexDeps, 'all'>,
  { source, target, swap }: PreparedTarget,
  { docsPerSlice, passBegins }: EngineWorkOptions,
): ReindexWork {
  const { client } = deps;
  return {
    passBegins,
    plan: (signal) => planSlices(client, source, { docsPerSlice, signal }),
    runSlice: ({ range, from, all, checkpoint, signal }) =>
      runSlice({ ...deps, all }, range, from, checkpoint, signal),
    open: (signal) => openForWrites(client, source, signal),
    block: (indices, signal) => blockWrites(client, indices, signal),
    unblock: (indices, signal) => unblockWrites(client, indices, signal),
    async finish(isClosed, signal) {
      if (target === 'in_place') return null;
      // A swap that deletes its source is over when that is gone; only the note of it was lost.
      if (swap?.deleteSource === true && (await isGone(client, source, signal))) return null;
      const counts = await deleteOrphans(client, source, target.dest, signal);
      if (isClosed && counts.source !== counts.dest) {
        return (
          `"${source}" has ${counts.source} documents and "${target.dest}" ${counts.dest}, so the alias was not moved. ` +
          `If somebody else writes to "${target.dest}", stop that and run the command again.`
        );
      }
      await finishDest(client, target.dest, signal);
      if (swap !== null) await swapAlias(client, swap, signal);
      return null;
    },
  };
}

async function isGone(client: EngineClient, index: string, signal: AbortSignal): Promise<boolean> {
  return (await concreteIndex(client, index, signal)) !== index;
}
