/** The job document: read, begun, joined and moved on by compare-and-set. */
import { randomUUID } from 'node:crypto';
import { TwinrankError } from '../../../errors.js';
import type { DocumentStore, DocumentVersion, JobDocument } from './document-store.js';
import { jobBody, jobId, parseJob, sliceId, turnId, type Job, type JobSpec } from './job.js';
import { once, type Patiently } from './patience.js';
import type { PassPlan } from './work.js';

/** A job as it was read. */
export interface StoredJob {
  readonly id: string;
  readonly job: Job;
  readonly version: DocumentVersion;
}

/** How a worker came to a job. */
export interface Joined {
  readonly stored: StoredJob;
  /** It was running already: on other machines, or until a worker was killed. */
  readonly resumed: boolean;
}

/** The job; undefined where there is none. Throws `bad_job`. */
export async function readJob(
  store: DocumentStore,
  id: string,
  signal?: AbortSignal,
): Promise<StoredJob | undefined> {
  const [stored] = await store.get([id], signal);
  if (stored === undefined) return undefined;
  return { id, job: parseJob(id, stored.document['body']), version: stored.version };
}

/**
 * Writes a change of the job. Undefined where somebody else has changed it meanwhile: what was planned on its old
 * state must be thought over.
 */
export async function changeJob(
  store: DocumentStore,
  { id, job, version }: StoredJob,
  change: Partial<Job>,
  patiently: Patiently = once,
  signal?: AbortSignal,
): Promise<StoredJob | undefined> {
  const next: Job = { ...job, ...change, updated: new Date().toISOString(), write: randomUUID() };
  return patiently(async () => {
    const written = await store.replace(id, jobDocument(id, next), version, signal);
    return written === undefined ? ownWrite(store, id, next, signal) : { id, job: next, version: written };
  }, signal);
}

/**
 * Begins the job that the specification names, joins it where it runs, or begins its next run where it has ended.
 * `plan` is asked for slices only where a run begins, `before` with the ended run that is followed, first of all.
 * Throws `job_conflict` where it runs with other options.
 */
export async function joinJob(
  store: DocumentStore,
  spec: JobSpec,
  plan: () => Promise<PassPlan>,
  before: (ended: Job) => Promise<void>,
  signal?: AbortSignal,
): Promise<Joined> {
  const id = jobId(spec);
  for (;;) {
    const present = await readJob(store, id, signal);
    if (present?.job.state === 'running') {
      refuseOtherOptions(id, present.job.spec, spec);
      return { stored: present, resumed: true };
    }
    if (present !== undefined) await before(present.job);
    const job = newRun(spec, (present?.job.run ?? 0) + 1, await plan());
    const version =
      present === undefined
        ? await store.create(id, jobDocument(id, job), signal)
        : await store.replace(id, jobDocument(id, job), present.version, signal);
    const stored = version === undefined ? await ownWrite(store, id, job, signal) : { id, job, version };
    if (stored !== undefined) return { stored, resumed: false };
  }
}

/** True where a job has gone on, or has ended. */
export function isOtherPass(now: Job, before: Job): boolean {
  return now.run !== before.run || now.pass !== before.pass || now.state !== 'running';
}

/** Ids of all documents of a pass besides the job's own. */
export function passDocuments(id: string, job: Job): readonly string[] {
  return [...job.slices.map((_, n) => sliceId(id, job, n)), turnId(id, job)];
}

function newRun(spec: JobSpec, run: number, plan: PassPlan): Job {
  const now = new Date().toISOString();
  return {
    spec,
    run,
    state: 'running',
    reason: null,
    pass: 1,
    passStarted: now,
    closed: false,
    finishing: false,
    blocked: [],
    slices: plan.slices,
    documents: plan.documents,
    history: [],
    created: now,
    updated: now,
    write: randomUUID(),
  };
}

function jobDocument(id: string, job: Job): JobDocument {
  return { job: id, kind: 'job', state: job.state, updated: job.updated, body: jobBody(job) };
}

/** A write that came through while its answer did not. */
async function ownWrite(
  store: DocumentStore,
  id: string,
  job: Job,
  signal: AbortSignal | undefined,
): Promise<StoredJob | undefined> {
  const [stored] = await store.get([id], signal);
  const body = stored?.document['body'] as { readonly write?: unknown } | undefined;
  return stored !== undefined && body?.write === job.write ? { id, job, version: stored.version } : undefined;
}

const OPTIONS: readonly (readonly [keyof JobSpec, string])[] = [
  ['swap', '--swap'],
  ['deleteSource', '--delete-source'],
  ['passes', '--passes'],
];

function refuseOtherOptions(id: string, running: JobSpec, wanted: JobSpec): void {
  const other = OPTIONS.filter(([key]) => running[key] !== wanted[key]);
  if (other.length === 0) return;
  const differences = other.map(([key, flag]) => `${flag} is ${JSON.stringify(running[key])}`).join(' and ');
  throw new TwinrankError(
    'job_conflict',
    `The job "${id}" runs already, and there ${differences}. Give the same options to join it, or cancel it first: twinrank jobs cancel ${id}.`,
  );
}
