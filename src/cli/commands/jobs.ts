/** `twinrank jobs list|show|cancel`: reindex jobs as the cluster knows them. */
import { TwinrankError } from '../../errors.js';
import { createEngineStore } from '../../ingest/reindex/jobs/engine-store.js';
import {
  cancelJob,
  listJobs,
  viewJob,
  type JobView,
  type UnreadableJob,
} from '../../ingest/reindex/jobs/job-view.js';
import { unblockWrites } from '../../ingest/reindex/write-block.js';
import type { Command, CommandIo } from '../command.js';
import { engineClient, TLS_OPTIONS } from '../engine-options.js';
import { flag, httpUrl, type OptionTable } from '../options.js';
import { textTable } from '../table.js';

const OPTIONS = {
  to: { flag: 'to', env: 'OPENSEARCH_URL', help: 'Address of the engine.', required: true, parse: httpUrl },
  force: {
    flag: 'force',
    env: null,
    help: 'With cancel: delete a job that cannot be read, end one in the midst of its swap.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  json: { flag: 'json', env: null, help: 'Print JSON.', default: 'false', boolean: true, parse: flag },
  ...TLS_OPTIONS,
} satisfies OptionTable;

export const jobsCommand: Command<typeof OPTIONS> = {
  usage: 'jobs <action> [id]',
  summary: 'List reindex jobs (list), show one (show ID), or stop one on all machines (cancel ID).',
  actions: ['list', 'show', 'cancel'],
  options: OPTIONS,
  run: async (values, [action, id], io) => {
    const client = engineClient(values.to, values);
    const store = createEngineStore(client);
    try {
      if (action === 'list' && id === undefined) {
        writeList(await listJobs(store, io.signal), values.json, io);
        return 0;
      }
      if (action === 'show' && id !== undefined) {
        writeJob(await viewJob(store, id, io.signal), values.json, io);
        return 0;
      }
      if (action !== 'cancel' || id === undefined)
        throw new TwinrankError('bad_config', 'Say "jobs list", "jobs show ID" or "jobs cancel ID".');
      const unblock = (indices: readonly string[]): Promise<void> =>
        unblockWrites(client, indices, io.signal);
      const done = await cancelJob(store, id, values.force, unblock, io.signal);
      if (values.json) {
        const state = done.kind === 'ended already' ? done.job.state : done.kind;
        io.stdout.write(`${JSON.stringify({ job: id, result: done.kind, state })}\n`);
      } else if (done.kind === 'ended already') {
        io.stdout.write(`The job ${id} is ${done.job.state} already.\n`);
      } else {
        const opened =
          done.unblocked.length === 0 ? '' : ` ${done.unblocked.join(', ')} may be written to again.`;
        io.stdout.write(
          `The job ${id} is ${done.kind}; its workers stop within seconds. What they wrote stays.${opened}\n`,
        );
      }
      return 0;
    } finally {
      await client.close();
    }
  },
};

function writeList(jobs: readonly (JobView | UnreadableJob)[], json: boolean, io: CommandIo): void {
  if (json) {
    for (const view of jobs) io.stdout.write(`${JSON.stringify(summaryOf(view))}\n`);
    return;
  }
  if (jobs.length === 0) {
    io.stdout.write('There are no jobs.\n');
    return;
  }
  const rows = jobs.map((view) => {
    if ('problem' in view) return [view.id, '', 'unreadable', '', '', '', '', '', ''];
    const { job, counts, workers } = view;
    const target = job.spec.dest === null ? job.spec.index : `${job.spec.index} -> ${job.spec.dest}`;
    const { documents, failed } = counts;
    return [
      view.id,
      target,
      job.state,
      job.pass,
      percent(view),
      documents,
      failed,
      workers.length,
      job.updated,
    ].map(String);
  });
  const head = ['Job', 'Index', 'State', 'Pass', 'Done', 'Documents', 'Failed', 'Workers', 'Updated'];
  io.stdout.write(`${textTable(head, rows, { rightAligned: [3, 4, 5, 6, 7] })}\n`);
  for (const view of jobs) if ('problem' in view) io.stderr.write(`${view.problem.message}\n`);
}

function writeJob(view: JobView, json: boolean, io: CommandIo): void {
  const { id, job, claims } = view;
  const slices = job.slices.map((range, n) => ({
    ...range,
    state: claims[n]?.state ?? (job.state === 'running' ? 'open' : 'ended'),
    owner: claims[n]?.owner ?? null,
    cursor: claims[n]?.cursor ?? range.from,
  }));
  if (json) {
    const { spec, created, history } = job;
    const shown = job.state === 'running' ? slices : [];
    io.stdout.write(`${JSON.stringify({ ...summaryOf(view), spec, created, history, slices: shown })}\n`);
    return;
  }
  const { spec, state, reason, run, pass, created, updated, blocked } = job;
  const facts: (readonly [string, string])[] = [
    ['index', spec.dest === null ? spec.index : `${spec.index} -> ${spec.dest}`],
    [
      'swap',
      spec.swap === null ? 'no' : `${spec.swap}${spec.deleteSource ? ', then the source is deleted' : ''}`,
    ],
    ['state', reason === null ? state : `${state}: ${reason}`],
    ['pass', `${pass} of at most ${spec.passes}${job.closed ? ', the source takes no writes' : ''}`],
    ['done', percent(view)],
    ['text', spec.textFields.join('; ')],
    ['model', `${spec.model} (${spec.fingerprint})`],
    ['run', `${run}, begun ${created}, updated ${updated}`],
    ...(blocked.length === 0 ? [] : [['blocked', blocked.join(', ')] as const]),
  ];
  io.stdout.write(`${id}\n${facts.map(([name, value]) => `  ${name.padEnd(8)} ${value}\n`).join('')}`);
  const passes = [
    ...job.history.map(({ pass: n, counts }) => ({ n, counts })),
    ...(state === 'running' ? [{ n: pass, counts: view.counts }] : []),
  ].map(({ n, counts: c }) =>
    [n, c.documents, c.fresh, c.written, c.noText, c.failed, c.vanished].map(String),
  );
  const head = ['Pass', 'Documents', 'Fresh', 'Written', 'No text', 'Failed', 'Vanished'];
  io.stdout.write(`${textTable(head, passes, { rightAligned: [0, 1, 2, 3, 4, 5, 6] })}\n`);
  if (state !== 'running') return;
  const rows = slices.map(({ index, shard, from, to, state: of, owner, cursor }) =>
    [index, shard, from, to, cursor, of, owner ?? ''].map(String),
  );
  const columns = ['Index', 'Shard', 'From', 'To', 'Cursor', 'State', 'Owner'];
  io.stdout.write(`${textTable(columns, rows, { rightAligned: [1, 2, 3, 4] })}\n`);
}

function summaryOf(view: JobView | UnreadableJob): Record<string, unknown> {
  if ('problem' in view) return { job: view.id, state: 'unreadable', reason: view.problem.message };
  const { id, job, counts, share, workers } = view;
  const { run, state, reason, pass, updated, spec } = job;
  const { index, dest } = spec;
  const { documents, failed } = counts;
  return { job: id, run, index, dest, state, reason, pass, share, documents, failed, workers, updated };
}

function percent({ job, share }: JobView): string {
  return job.state === 'running' || job.state === 'done' ? `${Math.floor(share * 100)} %` : '-';
}
