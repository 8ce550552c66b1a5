/** Documents written past any sidecar, and a whole reindex pass over them in this process, slice after slice. */
import assert from 'node:assert/strict';
import type { ReindexDeps } from '../../../src/ingest/reindex/deps.js';
import type { ReindexFailure } from '../../../src/ingest/reindex/failures.js';
import { planSlices } from '../../../src/ingest/reindex/plan-slices.js';
import { runSlice } from '../../../src/ingest/reindex/run-slice.js';
import { addCounts, NO_COUNTS, type SliceCounts } from '../../../src/ingest/reindex/slice.js';
import { createThrottle } from '../../../src/ingest/reindex/throttle.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import type { EngineFixture } from './engine.js';
import { rawRequest } from './raw-request.js';
import type { Stack } from './stack.js';

/** Limit of a test's call. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

export interface RawDocuments {
  /** Writes a source with its own bytes. */
  put(index: string, id: string, source: string, parameters?: string): Promise<void>;
  sourceOf(index: string, id: string, parameters?: string): Promise<Buffer>;
  versionOf(index: string, id: string): Promise<number>;
  /** Writes documents d0, d1, … with titles of their own, and such further members as `more` has; no refresh. */
  load(index: string, count: number, more?: string): Promise<void>;
}

/** Documents of the engine as they are, without a sidecar or a client library. */
export function rawDocuments(engine: EngineFixture): RawDocuments {
  const { url } = engine;
  return {
    async put(index, id, source, parameters = '') {
      const path = `/${index}/_doc/${encodeURIComponent(id)}?${parameters}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await rawRequest({ url, method: 'PUT', path, headers, body: source });
      assert.ok(answer.status < 300, answer.body.toString());
    },
    async sourceOf(index, id, parameters = '') {
      const path = `/${index}/_source/${encodeURIComponent(id)}?${parameters}`;
      return (await rawRequest({ url, method: 'GET', path })).body;
    },
    async versionOf(index, id) {
      return ((await engine.call('GET', `/${index}/_doc/${id}`)) as { _version: number })._version;
    },
    async load(index, count, more = '') {
      const lines = Array.from(
        { length: count },
        (_, i) => `{"index":{"_id":"d${i}"}}\n{"title":"Title number ${i}"${more}}\n`,
      );
      await engine.call('POST', `/${index}/_bulk`, lines.join(''));
    },
  };
}

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
