import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutShards, shardSizes, type ShardSize } from '../../../src/ingest/reindex/plan-slices.js';
import type { SliceRange } from '../../../src/ingest/reindex/slice.js';

const shard = (documents: number, to: number, number = 0): ShardSize => ({
  index: 'i',
  shard: number,
  documents,
  to,
});

/** Fails unless the slices of each shard join from 0 to its end. */
function assertCovers(shards: readonly ShardSize[], slices: readonly SliceRange[]): void {
  for (const { shard, to } of shards) {
    let at = 0;
    for (const slice of slices.filter((one) => one.shard === shard)) {
      assert.equal(slice.from, at);
      assert.ok(slice.to > slice.from);
      at = slice.to;
    }
    assert.equal(at, to);
  }
}

describe('slices', () => {
  it('cover each shard without gaps, in parts of about the wanted size', () => {
    const shards = [shard(100_000, 250_001, 0), shard(1, 1, 1), shard(0, 7, 2), shard(0, 0, 3)];
    const slices = cutShards(shards, 30_000, 1_000);
    assertCovers(shards, slices);
    assert.deepEqual(
      shards.map((one) => slices.filter((slice) => slice.shard === one.shard).length),
      [4, 1, 1, 0],
    );
  });

  it('are no more than asked for, unless there are more shards', () => {
    for (const [documents, count, most] of [
      [10_000_000, 3, 100],
      [999_999, 7, 8],
      [5, 5, 1],
    ] as const) {
      const shards = Array.from({ length: count }, (_, i) => shard(documents + i, documents * 2 + 3, i));
      const slices = cutShards(shards, 1_000, most);
      assertCovers(shards, slices);
      assert.ok(slices.length <= Math.max(most, 2 * count), String(slices.length));
    }
    assert.ok(cutShards([shard(1e9, 1e9)], 50_000, 1_000).length <= 1_000);
  });

  it('are never empty ranges', () => {
    assertCovers([shard(1_000, 3)], cutShards([shard(1_000, 3)], 1, 1_000));
  });

  it('reach as far as the primary has given numbers, also beyond a write that is still under way', () => {
    const copy = (primary: boolean, given: number): unknown => ({
      routing: { primary },
      docs: { count: 5 },
      seq_no: { max_seq_no: given, local_checkpoint: 3, global_checkpoint: 3 },
    });
    const body = {
      indices: {
        i: { shards: { 0: [copy(false, 3), copy(true, 7)], 1: [copy(false, 3)], 2: [copy(true, -1)] } },
      },
    };
    assert.deepEqual(shardSizes(body), [shard(5, 8, 0), shard(5, 0, 2)]);
    assert.deepEqual(shardSizes({}), []);
  });
});
