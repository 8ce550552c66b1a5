/** `twinrank reindex`: gives every document of an index a fresh vector, and shows that each has one. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { asTwinrankError, TwinrankError } from '../../errors.js';
import type { ReindexDeps } from '../../ingest/reindex/deps.js';
import { estimate } from '../../ingest/reindex/estimate.js';
import { createEngineStore } from '../../ingest/reindex/jobs/engine-store.js';
import { createEngineWork } from '../../ingest/reindex/jobs/engine-work.js';
import type { JobSpec } from '../../ingest/reindex/jobs/job.js';
import { createPatience } from '../../ingest/reindex/jobs/patience.js';
import { createWorker } from '../../ingest/reindex/jobs/worker.js';
import { DEFAULT_PAGE_LIMITS } from '../../ingest/reindex/page-size.js';
import type { CopyModel } from '../../ingest/reindex/prepare-dest.js';
import {
  prepareTarget,
  settingsForEstimate,
  type PreparedTarget,
  type TargetWish,
} from '../../ingest/reindex/prepare-target.js';
import { runOnly } from '../../ingest/reindex/run-only.js';
import { createThrottle } from '../../ingest/reindex/throttle.js';
import type { Bundle } from '../../model/bundle.js';
import type { EncoderPool } from '../../model/encoder-pool.js';
import { adminTokenOf, isOpenToOthers, OPEN_ADMIN_PORT } from '../admin-token.js';
import type { Command, CommandIo } from '../command.js';
import { engineClient } from '../engine-options.js';
import { bundleOf, poolSize, startEncoder } from '../model-options.js';
import type { Progress } from '../progress.js';
import { startReindexAdmin, type ReindexAdmin, type ReindexInsight } from '../reindex-admin.js';
import { createFailureFile, namesOf, type FailureFile } from '../reindex-failures.js';
import { REINDEX_OPTIONS, refuseContradictions, type ReindexValues } from '../reindex-options.js';
import { reportEstimate, reportJob, reportOnly, showProgress } from '../reindex-report.js';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
const TROUBLE_EVERY_MS = 10_000;

export const reindexCommand: Command<typeof REINDEX_OPTIONS> = {
  usage: 'reindex',
  summary: 'Give every document of an index a fresh vector: resumable, shared by several machines, verified.',
  options: REINDEX_OPTIONS,
  run: async (values, _positionals, io) => {
    refuseContradictions(values);
    const client = engineClient(values.to, values);
    let encoder: EncoderPool | undefined;
    let failures: FailureFile | undefined;
    const insight: ReindexInsight = {};
    let admin: ReindexAdmin | undefined;
    try {
      const token = await adminTokenOf(values);
      admin = await startReindexAdmin(values.admin, token, insight);
      if (values.admin !== undefined && isOpenToOthers(values.admin, token))
        io.stderr.write(`Warning: ${OPEN_ADMIN_PORT}.\n`);
      if (admin.address !== undefined) io.stderr.write(`Metrics: ${admin.address}/metrics\n`);
      const bundle = await bundleOf(values);
      // What is wrong with the index is told before the model is loaded.
      if (values.dryRun) {
        const settings = await settingsForEstimate(client, wishOf(values), copyModel(bundle), io.signal);
        encoder = await startEncoder(bundle, values, poolSize('document'), io.signal);
        const deps = { client, encoder, settings, all: values.all };
        reportEstimate(await estimate(deps, values.index, io.signal), values.index, values.json, io);
        return 0;
      }
      failures = createFailureFile(values.failures, io);
      const prepared = await prepareTarget(client, wishOf(values), copyModel(bundle), io.signal);
      for (const warning of prepared.warnings) io.stderr.write(`Warning: ${warning}\n`);
      encoder = await startEncoder(bundle, values, poolSize('document'), io.signal, admin.onBatch);
      insight.encoder = encoder;
      const deps: ReindexDeps = {
        client,
        encoder,
        settings: prepared.settings,
        throttle: createThrottle({
          documentsPerSecond: values.docsPerSecond,
          bytesPerSecond: values.bytesPerSecond,
        }),
        onFailure: failures.record,
        target: prepared.target,
        pageLimits: { ...DEFAULT_PAGE_LIMITS, documents: values.batch },
      };
      if (values.only === undefined)
        return await runJob(deps, prepared, bundle, failures, values, insight, io);
      failures.begin(false);
      const counts = await runOnly({ ...deps, all: values.all }, namesOf(values.only), io.signal);
      return reportOnly(counts, values.index, values.json, io);
    } finally {
      failures?.close();
      await encoder?.close(AbortSignal.abort());
      await client.close();
      await admin?.close();
    }
  },
};

async function runJob(
  deps: ReindexDeps,
  prepared: PreparedTarget,
  bundle: Bundle,
  failures: FailureFile,
  values: ReindexValues,
  insight: ReindexInsight,
  io: CommandIo,
): Promise<number> {
  const { client } = deps;
  const tell = (event: string, members: Record<string, unknown>, sentence: string): void => {
    if (values.json) io.stdout.write(`${JSON.stringify({ event, ...members })}\n`);
    else io.stderr.write(`${sentence}\n`);
  };
  let progress: Progress | undefined;
  let id: string | undefined;
  let troubleToldAt = -Infinity;
  const worker = createWorker(
    {
      store: createEngineStore(client),
      work: createEngineWork(deps, prepared, {
        docsPerSlice: values.sliceDocuments,
        passBegins: (resumed) => {
          progress?.stop();
          failures.begin(resumed);
          return Promise.resolve();
        },
      }),
      patiently: createPatience({
        patienceMs: values.patience,
        firstDelayMs: FIRST_DELAY_MS,
        maxDelayMs: MAX_DELAY_MS,
        onTrouble: ({ message }) => {
          if (performance.now() - troubleToldAt < TROUBLE_EVERY_MS) return;
          troubleToldAt = performance.now();
          tell('trouble', { reason: message }, `Waiting: ${message}`);
        },
      }),
      onJoined: ({ stored, resumed }) => {
        id = stored.id;
        const { run, slices } = stored.job;
        const members = { job: id, run, resumed, slices: slices.length };
        tell('job', members, `Job ${id}${resumed ? ', which is under way already' : ''}.`);
      },
      onPass: ({ pass }) => {
        const label = `Pass ${pass}`;
        progress = showProgress(label, pass, () => worker.progress(), values.json, io);
      },
    },
    {
      owner: `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`,
      leaseMs: values.lease,
      slicesAtOnce: values.slicesAtOnce,
    },
  );
  insight.progress = () => worker.progress();
  const started = performance.now();
  try {
    const ended = await worker.run(specOf(values, prepared, bundle), io.signal);
    progress?.stop();
    return reportJob(ended, (performance.now() - started) / 1000, values.json, io);
  } catch (error) {
    progress?.stop();
    const { code, message } = asTwinrankError(error);
    if (id === undefined || code === 'bad_job') throw error;
    if (!io.signal.aborted) io.stderr.write(`twinrank: ${message}\n`);
    io.stderr.write(
      `Stopped. The job ${id} goes on where it stands with the same command, here or elsewhere.\n`,
    );
    return 1;
  }
}

function wishOf({ index, dest, swap, deleteSource }: ReindexValues): TargetWish {
  return { index, dest: dest ?? null, swap: swap ?? null, deleteSource };
}

function copyModel({ manifest, fingerprint, dimensions }: Bundle): CopyModel {
  return { name: manifest.name, fingerprint, dimensions };
}

function specOf(values: ReindexValues, { all }: PreparedTarget, { manifest, fingerprint }: Bundle): JobSpec {
  if (all.length === 0) throw new TwinrankError('bad_config', `There is no index "${values.index}".`);
  return {
    ...wishOf(values),
    all: values.all,
    passes: values.passes,
    model: manifest.name,
    fingerprint,
    // Several indices may name different fields; the same ones on every machine.
    textFields: [...new Set(all.map(({ textFields }) => textFields.join(', ')))].sort(),
  };
}
