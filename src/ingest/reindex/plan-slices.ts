/** Cuts indices into slices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../../errors.js';
import { reasonOf, type EngineAnswer, type EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { asRecord, isRecord } from '../../search-engine/json-value.js';
import { patientRead, stopped } from './patient-read.js';
import type { SliceRange } from './slice.js';

export interface PlanOptions {
  /** About how many documents a slice holds. */
  readonly docsPerSlice?: number;
  /** Above this many slices they are made larger. Each shard that holds anything has at least one. */
  readonly maxSlices?: number;
  readonly signal: AbortSignal;
}

export interface SlicePlan {
  readonly slices: SliceRange[];
  /** Documents of all indices; a nested document is none of its own. */
  readonly documents: number;
}

/** A primary shard: Lucene documents in it, and the highest `_seq_no` that it has given. */
export interface ShardSize {
  readonly index: string;
  readonly shard: number;
  readonly documents: number;
  /** Exclusive. */
  readonly to: number;
}

const DOCS_PER_SLICE = 50_000;
const MAX_SLICES = 1_000;
/** Half a minute for a node to come back, or for another copy of its shards to become the primary. */
const SHARD_TRIES = 30;
const SHARD_PAUSE_MS = 1_000;

/**
 * Slices of an index, alias, data stream or wildcard expression that hold every document which was written before
 * the call. Throws `bad_config` where there is no such index, or it is closed; `upstream_answer` where a shard
 * stays away for half a minute or the engine refuses.
 */
export async function planSlices(
  client: EngineClient,
  expression: string,
  { docsPerSlice = DOCS_PER_SLICE, maxSlices = MAX_SLICES, signal }: PlanOptions,
): Promise<SlicePlan> {
  const name = encodeExpression(expression);
  const read = async (): Promise<ShardSize[]> => {
    const path = `/${name}/_stats/docs?level=shards`;
    const stats = await patientRead(client, { method: 'GET', path, signal });
    if (stats.status !== 200) throw refusal(client, expression, 'read statistics of', stats);
    return shardSizes(stats.body);
  };
  // First how far the shards are, then the refresh, so that all up to there can be seen; what can be seen is counted.
  const before = await readWhole(read, (shards) => missingShards(client, expression, shards, signal), signal);
  await patientRead(client, { method: 'POST', path: `/${name}/_refresh`, signal });
  const after = new Map((await read()).map((size) => [`${size.index} ${size.shard}`, size.documents]));
  const shards = before.map((size) => ({
    ...size,
    documents: after.get(`${size.index} ${size.shard}`) ?? size.documents,
  }));
  const count = await patientRead(client, { method: 'GET', path: `/${name}/_count`, signal });
  if (count.status !== 200) throw refusal(client, expression, 'count documents of', count);
  const documents = isRecord(count.body) ? Number(count.body['count']) : 0;
  return { slices: cutShards(shards, docsPerSlice, maxSlices), documents };
}

/** Ranges of about equal width; the bounds of a shard's slices join without a gap. */
export function cutShards(
  shards: readonly ShardSize[],
  docsPerSlice: number,
  maxSlices: number,
): SliceRange[] {
  const total = shards.reduce((sum, { documents }) => sum + documents, 0);
  const room = Math.max(1, maxSlices - shards.length);
  // Rounding up costs a slice for each shard at most, and there is room for that.
  const perSlice = Math.max(docsPerSlice, Math.ceil(total / room));
  return shards.flatMap(({ index, shard, documents, to }) => {
    const parts = Math.min(to, Math.max(1, Math.ceil(documents / perSlice)));
    return Array.from({ length: parts }, (_, i) => ({
      index,
      shard,
      from: Math.floor((to * i) / parts),
      to: Math.floor((to * (i + 1)) / parts),
    }));
  });
}

/** Primary shards of a statistics answer that hold anything. */
export function shardSizes(body: unknown): ShardSize[] {
  const indices = asRecord(asRecord(body)['indices']);
  const sizes: ShardSize[] = [];
  for (const [index, entry] of Object.entries(indices)) {
    const shards = asRecord(asRecord(entry)['shards']);
    for (const [shard, copies] of Object.entries(shards)) {
      const primary = (Array.isArray(copies) ? copies : []).find(
        (copy: unknown) => isRecord(copy) && isRecord(copy['routing']) && copy['routing']['primary'] === true,
      ) as Record<string, unknown> | undefined;
      if (primary === undefined) continue;
      const docs = isRecord(primary['docs']) ? Number(primary['docs']['count']) : 0;
      const seqNo = asRecord(primary['seq_no']);
      // Not the global checkpoint: behind a write under way it lags, and what was confirmed since would not be looked at.
      const reached = Number(seqNo['max_seq_no']);
      sizes.push({
        index,
        shard: Number(shard),
        documents: docs,
        to: Number.isFinite(reached) ? reached + 1 : 0,
      });
    }
  }
  return sizes;
}

/** All shards; one whose node has just gone is waited for, since another copy or the node itself soon has it. */
async function readWhole(
  read: () => Promise<ShardSize[]>,
  missing: (shards: readonly ShardSize[]) => Promise<TwinrankError | undefined>,
  signal: AbortSignal,
): Promise<ShardSize[]> {
  for (let tried = 1; ; tried++) {
    const shards = await read();
    const error = await missing(shards);
    if (error === undefined) return shards;
    if (tried >= SHARD_TRIES) throw error;
    await sleep(SHARD_PAUSE_MS, undefined, { signal }).catch((reason: unknown) => {
      throw stopped(reason);
    });
  }
}

/** What to say where a shard is away: one without its primary is missing in the statistics without a word. */
async function missingShards(
  client: EngineClient,
  expression: string,
  shards: readonly ShardSize[],
  signal: AbortSignal,
): Promise<TwinrankError | undefined> {
  const name = encodeExpression(expression);
  const answer = await patientRead(client, {
    method: 'GET',
    path: `/${name}/_settings?flat_settings=true`,
    signal,
  });
  if (answer.status !== 200) throw refusal(client, expression, 'read settings of', answer);
  const entries = Object.entries(asRecord(answer.body));
  if (entries.length === 0) throw noIndex(client, expression);
  for (const [index, entry] of entries) {
    const settings = asRecord(asRecord(entry)['settings']);
    const expected = Number(settings['index.number_of_shards']);
    const found = shards.filter((shard) => shard.index === index).length;
    if (settings['index.verified_before_close'] === 'true') throw closed(index);
    if (Number.isFinite(expected) && found < expected) {
      return new TwinrankError(
        'upstream_answer',
        `"${index}" has ${expected} shards, of which ${found} can be read. ` +
          'Wait until the cluster is no longer red (GET _cluster/health), then try again.',
      );
    }
  }
  return undefined;
}

function refusal(
  client: EngineClient,
  expression: string,
  what: string,
  answer: EngineAnswer,
): TwinrankError {
  const reason = reasonOf(answer);
  if (answer.status === 404) return noIndex(client, expression);
  if (reason.includes('index_closed_exception')) return closed(expression);
  if (answer.status === 401 || answer.status === 403) {
    return new TwinrankError(
      'upstream_answer',
      `${client.address} does not let this user ${what} "${expression}" (${reason}). ` +
        'A reindex needs the rights to monitor, read and write the index; give such credentials in the address.',
    );
  }
  return new TwinrankError(
    'upstream_answer',
    `${client.address} would not ${what} "${expression}": ${reason}.`,
  );
}

function noIndex(client: EngineClient, expression: string): TwinrankError {
  return new TwinrankError('bad_config', `There is no index "${expression}" at ${client.address}.`);
}

function closed(index: string): TwinrankError {
  return new TwinrankError('bad_config', `"${index}" is closed. Open it first: POST /${index}/_open`);
}
