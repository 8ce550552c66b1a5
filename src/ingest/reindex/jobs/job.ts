/** A reindex job and its slices as they are stored, and their strict reading. */
import { createHash } from 'node:crypto';
import { TwinrankError } from '../../../errors.js';
import { NO_COUNTS, type SliceCounts, type SliceRange } from '../slice.js';
import { listOf, oneOf, orNull, record, ShapeError, text, truth, whole, type Shape } from './strict-json.js';

const VERSION = 1;

/** What is to be done. */
export interface JobSpec {
  /** Index, alias, data stream or expression, as the user wrote it. */
  readonly index: string;
  /** New index to write to; null reindexes in place. */
  readonly dest: string | null;
  /** Alias that is moved from the source to the new index at the end. */
  readonly swap: string | null;
  readonly deleteSource: boolean;
  /** Encode again what is fresh already. */
  readonly all: boolean;
  /** Passes after which it is given up. */
  readonly passes: number;
  readonly model: string;
  readonly fingerprint: string;
  /** Fields whose texts are encoded. */
  readonly textFields: readonly string[];
}

const JOB_STATES = ['running', 'done', 'failed', 'cancelled'] as const;

/** A pass that has ended. */
export interface PassRecord {
  readonly pass: number;
  /** The source took no writes meanwhile. */
  readonly closed: boolean;
  readonly started: string;
  readonly ended: string;
  readonly counts: SliceCounts;
}

export interface Job {
  readonly spec: JobSpec;
  /** How often this job has been begun; the slices of each run are documents of their own. */
  readonly run: number;
  readonly state: (typeof JOB_STATES)[number];
  /** Why it failed, for people. */
  readonly reason: string | null;
  /** The pass under way, from 1. */
  readonly pass: number;
  /** When it began. */
  readonly passStarted: string;
  /** The source takes no writes from this pass on; before a swap only. */
  readonly closed: boolean;
  /** Passes are over, the swap is being made: too late to cancel. */
  readonly finishing: boolean;
  /** Indices on which this job has put, or is about to put, a write block that it takes off again if it fails. */
  readonly blocked: readonly string[];
  /** What the pass is cut into. */
  readonly slices: readonly SliceRange[];
  /** About how many documents these hold. */
  readonly documents: number;
  readonly history: readonly PassRecord[];
  /** When this run began. */
  readonly created: string;
  readonly updated: string;
  /** Names the write that made this state, so that a writer whose answer was lost knows its own. */
  readonly write: string;
}

/** A slice that somebody has claimed once; none is stored of the others. */
export interface SliceClaim {
  /** `open`: was given back, with what has been done of it. */
  readonly state: 'claimed' | 'open' | 'done';
  /** Worker that holds it, or held it last. */
  readonly owner: string;
  readonly cursor: number;
  readonly counts: SliceCounts;
  readonly write: string;
}

const count = whole(0);

const COUNTS: Shape<SliceCounts> = record<SliceCounts>({
  documents: count,
  fresh: count,
  written: count,
  noText: count,
  failed: count,
  vanished: count,
  bytes: count,
});

const SPEC: Shape<JobSpec> = record<JobSpec>({
  index: text,
  dest: orNull(text),
  swap: orNull(text),
  deleteSource: truth,
  all: truth,
  passes: whole(1),
  model: text,
  fingerprint: text,
  textFields: listOf(text),
});

const JOB = record<Job & { readonly version: number }>({
  version: oneOf(VERSION),
  spec: SPEC,
  run: whole(1),
  state: oneOf(...JOB_STATES),
  reason: orNull(text),
  pass: whole(1),
  passStarted: text,
  closed: truth,
  finishing: truth,
  blocked: listOf(text),
  slices: listOf(record<SliceRange>({ index: text, shard: count, from: count, to: count })),
  documents: count,
  history: listOf(
    record<PassRecord>({ pass: whole(1), closed: truth, started: text, ended: text, counts: COUNTS }),
  ),
  created: text,
  updated: text,
  write: text,
});

const CLAIM = record<SliceClaim & { readonly version: number }>({
  version: oneOf(VERSION),
  state: oneOf('claimed', 'open', 'done'),
  owner: text,
  cursor: count,
  counts: COUNTS,
  write: text,
});

/** Body of a job document. */
export function jobBody(job: Job): Record<string, unknown> {
  return { version: VERSION, ...job };
}

/** The job of a stored body. Throws `bad_job` naming the key that is not as this program writes it. */
export function parseJob(id: string, body: unknown): Job {
  const { version: _, ...job } = read(id, `The job "${id}"`, JOB, body);
  return job;
}

/** Body of a slice document. */
export function claimBody(claim: SliceClaim): Record<string, unknown> {
  return { version: VERSION, ...claim };
}

/** The claim of a stored body. Throws `bad_job`. */
export function parseClaim(jobId: string, sliceId: string, body: unknown): SliceClaim {
  const { version: _, ...claim } = read(jobId, `The slice "${sliceId}" of job "${jobId}"`, CLAIM, body);
  return claim;
}

function read<T>(jobId: string, what: string, shape: Shape<T>, body: unknown): T {
  try {
    return shape(body, '');
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new TwinrankError(
      'bad_job',
      `${what} cannot be read: ${error.message}. It was edited by hand or written by another version of twinrank. ` +
        `Go on with that version, or run "twinrank jobs cancel ${jobId} --force" and start again.`,
      { cause: error },
    );
  }
}

/**
 * Id of the job that does this: the same on every machine, so that the same command joins. Starts with the index's
 * name, for people.
 */
export function jobId(spec: JobSpec): string {
  const { index, dest, all, fingerprint, textFields } = spec;
  const hash = createHash('sha256').update(JSON.stringify([index, dest, all, fingerprint, textFields]));
  const name = index
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '_')
    .slice(0, 60);
  return `${name}-${hash.digest('hex').slice(0, 10)}`;
}

/** Id of the document of one slice of a pass. */
export function sliceId(id: string, job: { readonly run: number; readonly pass: number }, n: number): string {
  return `${id}:${job.run}:${job.pass}:${n}`;
}

/** Id of the document that says who moves the job from this pass on. */
export function turnId(id: string, job: { readonly run: number; readonly pass: number }): string {
  return `${id}:${job.run}:${job.pass}:turn`;
}

/** Share of the documents of a pass, 0 to 1, that have been looked at; by number, as slices hold unlike many. */
export function shareOf({ documents }: Job, counts: SliceCounts): number {
  return documents === 0 ? 1 : Math.min(1, counts.documents / documents);
}

/** Counts of the last pass that has ended. */
export function lastCounts(job: Job): SliceCounts {
  return job.history.at(-1)?.counts ?? NO_COUNTS;
}
