/** The admin port of a reindex, where the operator wants one: liveness and metrics while it runs. */
import { createServer } from 'node:http';
import { createAdminApp } from '../http/admin-app.js';
import { listen, shutDown } from '../http/listen.js';
import type { EncoderPool } from '../model/encoder-pool.js';
import type { JobProgress } from '../ingest/reindex/jobs/worker.js';
import { addEncoderMetrics } from './metrics/encoder-metrics.js';
import { addProcessMetrics } from './metrics/process-metrics.js';
import { createMetrics } from './metrics/registry.js';
import { addReindexMetrics } from './metrics/reindex-metrics.js';
import type { ListenAddress } from './options.js';
import { modelCheck } from './readiness.js';

export interface ReindexAdmin {
  /** Where it listens; undefined where nobody wanted it. */
  readonly address: string | undefined;
  readonly onBatch: ReturnType<typeof addEncoderMetrics>['onBatch'];
  close(): Promise<void>;
}

/** What it shows, as soon as there is something. */
export interface ReindexInsight {
  encoder?: EncoderPool;
  progress?: () => JobProgress | null;
}

/** Starts to listen, where there is an address; metrics need the token, where there is one. Rejects with `bad_config` where it cannot be had. */
export async function startReindexAdmin(
  wanted: ListenAddress | undefined,
  token: string | undefined,
  insight: ReindexInsight,
): Promise<ReindexAdmin> {
  if (wanted === undefined)
    return { address: undefined, onBatch: () => undefined, close: () => Promise.resolve() };
  const metrics = createMetrics();
  const loop = addProcessMetrics(metrics);
  addReindexMetrics(metrics, () => insight.progress?.() ?? null);
  const { onBatch } = addEncoderMetrics(metrics, () => insight.encoder?.stats());
  const { contentType } = metrics;
  const server = createServer(
    createAdminApp({
      checks: [modelCheck(() => insight.encoder)],
      metrics: async () => ({ contentType, text: await metrics.text() }),
      token,
    }),
  );
  const address = await listen(server, wanted);
  return {
    address,
    onBatch,
    async close() {
      loop.stop();
      await shutDown(server, 0);
    },
  };
}
