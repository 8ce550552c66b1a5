import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { benchBundle, benchPlan, quantile, recommend } from '../../../src/model/bundle-bench.js';
import { loadBundle } from '../../../src/model/bundle.js';
import { writeTinyBundle } from './tiny-bundle.js';

const row = (workers: number, threads: number, titlesPerSecond: number, batchTokensPerThread = 320) => ({
  workers,
  threads,
  batchTokensPerThread,
  titlesPerSecond,
  tokensPerSecond: 20 * titlesPerSecond,
});
const query = (threads: number, p50Ms: number) => ({ threads, p50Ms, p95Ms: 2 * p50Ms, queries: 20 });

describe('what is measured', () => {
  it('never takes more threads than there are cores, and one thread always', () => {
    for (const cores of [1, 2, 3, 6, 64]) {
      const { sizes, threads } = benchPlan(cores, 20);
      for (const size of sizes) assert.ok(size.workers * size.threads <= cores, JSON.stringify(size));
      assert.deepEqual(sizes[0], { workers: 1, threads: 1 });
      assert.ok(sizes.some((size) => size.workers === cores && size.threads === 1));
      assert.equal(new Set(sizes.map((size) => JSON.stringify(size))).size, sizes.length);
      assert.ok(threads.every((count) => count <= cores));
    }
  });

  it('gives a figure for every size, every batch and every number of threads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'measured-'));
    try {
      const bundle = await loadBundle(writeTinyBundle(folder));
      const plan = { ...benchPlan(1, 1), milliseconds: 50 };
      const { throughput, latency, meanTokens } = await benchBundle(bundle, plan);
      assert.deepEqual(
        throughput.map((measured) => measured.batchTokensPerThread),
        [320, 80, 1280],
      );
      for (const measured of throughput) {
        assert.ok(measured.titlesPerSecond > 0);
        assert.equal(measured.tokensPerSecond, measured.titlesPerSecond * meanTokens);
      }
      assert.equal(latency.length, 1);
      assert.ok((latency[0]?.queries ?? 0) >= 20);
      assert.ok((latency[0]?.p50Ms ?? 0) <= (latency[0]?.p95Ms ?? 0));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what is recommended', () => {
  it('is the fastest, for titles and for one query', () => {
    const throughput = [row(1, 1, 100), row(4, 1, 380), row(2, 2, 300)];
    const { documents, queries } = recommend({
      throughput,
      latency: [query(1, 8), query(2, 5), query(4, 4)],
    });
    assert.deepEqual([documents?.workers, documents?.threads, queries?.threads], [4, 1, 4]);
  });

  it('is fewer threads where more are no better', () => {
    const throughput = [row(1, 1, 100), row(2, 1, 101)];
    const { documents, queries } = recommend({ throughput, latency: [query(1, 5), query(2, 4.95)] });
    assert.deepEqual([documents?.workers, queries?.threads], [1, 1]);
  });

  it('does not hang on a size of batch that the services do not take', () => {
    const throughput = [row(1, 1, 100), row(2, 1, 180), row(1, 1, 400, 1280)];
    assert.equal(recommend({ throughput, latency: [] }).documents?.workers, 2);
  });
});

describe('a quantile', () => {
  it('is one of the numbers, by nearest rank', () => {
    const numbers = [5, 1, 4, 2, 3];
    assert.deepEqual(
      [0, 0.5, 0.95, 1].map((share) => quantile(numbers, share)),
      [1, 3, 5, 5],
    );
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });
});
