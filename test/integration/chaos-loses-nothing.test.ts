/** A small share of `npm run chaos`; it has a cluster of its own, because it kills its nodes. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runChaos, SCENARIO_NAMES } from '../../scripts/chaos/run-chaos.js';
import { startCluster, type Cluster } from '../../scripts/engine/cluster.js';

const USES_ANOTHER =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';

describe('while sidecar, engine and connection break in turn', { skip: USES_ANOTHER }, () => {
  const ending = new AbortController();
  let cluster: Cluster;
  let folder: string;
  let log: number;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twinrank-chaos-'));
    log = openSync(join(folder, 'log'), 'w');
    cluster = await startCluster();
  });
  after(async () => {
    ending.abort();
    await cluster.stop();
    closeSync(log);
    await rm(folder, { recursive: true, force: true });
  });

  for (const scenario of SCENARIO_NAMES)
    it(`no acknowledged write is lost or doubled, and each has a fresh vector: ${scenario}`, async () => {
      const [result] = await runChaos({
        cluster,
        scenarios: [scenario],
        firstSeed: 1,
        seeds: 1,
        documents: 600,
        titles: 300,
        log,
        signal: ending.signal,
        onProgress: () => undefined,
      });
      const logged = (await readFile(join(folder, 'log'), 'utf8')).slice(-2_000);
      assert.deepEqual(result?.problems, [], `${result?.faults.join('\n')}\n${logged}`);
      assert.ok(result.faults.length >= 2);
    });
});
