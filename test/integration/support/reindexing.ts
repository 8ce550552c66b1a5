/** A whole reindex pass in this process: the slices of an expression one after the other. */
import type { ReindexDeps } from '../../../src/ingest/reindex/deps.js';
import type { ReindexFailure } from '../../../src/ingest/reindex/failures.js';
import { planSlices } from '../../../src/ingest/reindex/plan-slices.js';
import { runSlice } from '../../../src/ingest/reindex/run-slice.js';
import { addCounts, NO_COUNTS, type SliceCounts } from '../../../src/ingest/reindex/slice.js';
import { createThrottle } from '../../../src/ingest/reindex/throttle.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import type { Stack } from './stack.js';

export interface Reindexed {
  readonly counts: SliceCounts;
  readonly failures: readonly ReindexFailure[];
}

/** What a slice worker needs, with failures collected in `failures`. */
export function reindexDeps(
  stack: Stack,
  settings: IndexSettings,
  failures: ReindexFailure[],
  change: Partial<ReindexDeps> = {},
): ReindexDeps {
  return {
    client: stack.client,
    encoder: stack.encoder,
    settings: () => settings,
    throttle: createThrottle({}),
    onFailure: (failure) => failures.push(failure),
    target: 'in_place',
    ...change,
  };
}

/** One pass over everything behind the expression. */
export async function reindexPass(
  stack: Stack,
  expression: string,
  settings: IndexSettings,
  change: Partial<ReindexDeps> = {},
): Promise<Reindexed> {
  const signal = AbortSignal.timeout(120_000);
  const failures: ReindexFailure[] = [];
  const deps = reindexDeps(stack, settings, failures, change);
  const { slices } = await planSlices(stack.client, expression, { signal });
  let counts = NO_COUNTS;
  for (const slice of slices) {
    const start = { cursor: slice.from, counts: NO_COUNTS };
    const end = await runSlice(deps, slice, start, () => Promise.resolve(), signal);
    counts = addCounts(counts, end.counts);
  }
  return { counts, failures };
}
