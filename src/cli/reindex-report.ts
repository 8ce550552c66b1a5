/** What `twinrank reindex` tells: progress while it runs, and what came of it. */
import type { Estimate } from '../ingest/reindex/estimate.js';
import { lastCounts, type Job } from '../ingest/reindex/jobs/job.js';
import type { StoredJob } from '../ingest/reindex/jobs/job-record.js';
import type { JobProgress } from '../ingest/reindex/jobs/worker.js';
import type { SliceCounts } from '../ingest/reindex/slice.js';
import type { CommandIo } from './command.js';
import { createProgressBar, createProgressLines, type Progress, type ProgressState } from './progress.js';

/** The share of a pass is told in parts of this many. */
const PARTS = 1_000_000;
const LINES_EVERY_MS = 2_000;
const QUIET_LINES_EVERY_MS = 10_000;

/** A bar on a terminal; JSON lines on standard output with `json`, else on standard error. */
export function showProgress(
  label: string,
  pass: number,
  read: () => JobProgress | null,
  json: boolean,
  io: CommandIo,
): Progress {
  const state = (): ProgressState => {
    const now = read();
    const { documents = 0, failed = 0 } = now?.counts ?? {};
    return { done: Math.round((now?.share ?? 0) * PARTS), total: PARTS, count: documents, failed };
  };
  const options = { label, unit: 'documents', extra: { pass } };
  if (json) return createProgressLines(io.stdout, state, { ...options, everyMs: LINES_EVERY_MS });
  if (io.stderr.isTTY === true) return createProgressBar(io.stderr, state, { ...options, everyMs: 200 });
  return createProgressLines(io.stderr, state, { ...options, everyMs: QUIET_LINES_EVERY_MS });
}

/** The end of a job. Gives the exit code: 0 only where every document is known to be fresh. */
export function reportJob({ id, job }: StoredJob, seconds: number, json: boolean, io: CommandIo): number {
  const { state, reason, run, pass, spec, history } = job;
  const counts = lastCounts(job);
  const written = history.reduce((sum, one) => sum + one.counts.written, 0);
  const verified = state === 'done';
  if (json) {
    const { index, dest, swap } = spec;
    const summary = { event: 'summary', job: id, run, state, verified, reason, index, dest, swap, pass };
    io.stdout.write(
      `${JSON.stringify({ ...summary, ...members(counts), written, seconds: round(seconds) })}\n`,
    );
  }
  if (state === 'done' && !json) io.stdout.write(`${doneText(job, counts, written, seconds)}\n`);
  if (state === 'failed')
    io.stderr.write(`twinrank: ${spec.index} is not verified: ${reason ?? 'no reason is known.'}\n`);
  if (state === 'cancelled')
    io.stderr.write(`twinrank: The job ${id} was cancelled. Run the command again to begin anew.\n`);
  return verified ? 0 : 1;
}

function doneText(job: Job, counts: SliceCounts, written: number, seconds: number): string {
  const { spec, pass } = job;
  const fresh = counts.fresh + counts.written;
  const lines = [
    `${counts.documents} documents of ${spec.dest ?? spec.index}: ${fresh} fresh${spec.dest === null ? ' vectors' : ' copies'}, ` +
      `${counts.noText} without text, ${counts.failed} failed; ${written} written, verified in pass ${pass}, ${seconds.toFixed(1)} s.`,
  ];
  if (spec.swap !== null) {
    lines.push(`The alias ${spec.swap} is that of ${spec.dest ?? ''} now.`);
    lines.push(
      spec.deleteSource
        ? `The index behind ${spec.index} was deleted in the same step.`
        : 'The old index takes no writes any more (index.blocks.write), so that none gets lost there. Delete it when nothing needs it.',
    );
  }
  return lines.join('\n');
}

/** What became of the documents of a failures file. */
export function reportOnly(counts: SliceCounts, index: string, json: boolean, io: CommandIo): number {
  const { documents, fresh, written, noText, failed, vanished } = counts;
  io.stdout.write(
    json
      ? `${JSON.stringify({ event: 'summary', index, ...members(counts), written })}\n`
      : `${documents} documents named: ${written} written, ${fresh} fresh already, ${noText} without text, ${vanished} gone, ${failed} failed.\n`,
  );
  return failed === 0 ? 0 : 1;
}

/** What a dry run has found. */
export function reportEstimate(found: Estimate, index: string, json: boolean, io: CommandIo): void {
  const { survey, toEncode, sampled, seconds, bytes } = found;
  const { documents, fresh, noText, toRemove, unreadable } = survey;
  if (json) {
    io.stdout.write(
      `${JSON.stringify({
        event: 'estimate',
        index,
        documents,
        fresh,
        no_text: noText,
        to_encode: toEncode,
        why: survey.toEncode,
        to_remove: toRemove,
        unreadable,
        seconds: seconds === null ? null : round(seconds),
        bytes,
        sampled,
      })}\n`,
    );
    return;
  }
  const why = Object.entries(survey.toEncode)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${WORDS[reason] ?? reason}`)
    .join(', ');
  const lines = [
    `${documents} documents of ${index}: ${fresh} fresh, ${noText} without text, ${toEncode} to encode${why === '' ? '' : ` (${why})`}.`,
    ...(toRemove > 0 ? [`${toRemove} have a vector and no text; the vector goes.`] : []),
    ...(unreadable > 0 ? [`${unreadable} cannot be read and would fail.`] : []),
    ...(toEncode === 0
      ? []
      : [
          `About ${seconds === null ? 'unknown' : clock(seconds)} on this machine (measured on ${sampled} texts), ${megabytes(bytes)} of vectors. More machines share it with the same command.`,
        ]),
    'Nothing was written.',
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

const WORDS: Readonly<Record<string, string>> = {
  missing: 'without a vector',
  stale: 'with another text than was encoded',
  other_model: 'of another model',
  malformed: 'malformed',
  other_storage: 'stored in another way',
  all: 'again, for --all',
};

function members({ documents, fresh, noText, failed, vanished, bytes }: SliceCounts): Record<string, number> {
  return { documents, fresh, no_text: noText, failed, vanished, bytes };
}

function clock(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

function megabytes(bytes: number): string {
  return bytes < 10_000_000_000
    ? `${(bytes / 1_000_000).toFixed(1)} MB`
    : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

function round(seconds: number): number {
  return Number(seconds.toFixed(1));
}
