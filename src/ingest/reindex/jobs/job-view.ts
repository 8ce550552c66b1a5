/** Jobs as people look at them, and their end from outside. */
import { asTwinrankError, TwinrankError } from '../../../errors.js';
import { isRecord } from '../../../search-engine/json-value.js';
import { addCounts, NO_COUNTS, type SliceCounts } from '../slice.js';
import type { DocumentStore, StoredDocument } from './document-store.js';
import { lastCounts, parseClaim, parseJob, shareOf, sliceId, type Job, type SliceClaim } from './job.js';
import { changeJob, passDocuments } from './job-record.js';

export interface JobView {
  readonly id: string;
  readonly job: Job;
  /** Of the pass under way; none of a job that has ended. */
  readonly claims: readonly (SliceClaim | undefined)[];
  /** Of the pass under way, or of the last one. */
  readonly counts: SliceCounts;
  readonly share: number;
  /** Who holds a slice. */
  readonly workers: readonly string[];
}

/** A job whose document cannot be read. */
export interface UnreadableJob {
  readonly id: string;
  readonly problem: TwinrankError;
}

/** All jobs, the latest first. */
export async function listJobs(
  store: DocumentStore,
  signal: AbortSignal,
): Promise<readonly (JobView | UnreadableJob)[]> {
  const views: (JobView | UnreadableJob)[] = [];
  for (const { id, stored } of await store.list(signal)) {
    try {
      views.push(await viewOf(store, id, stored, signal));
    } catch (error) {
      const problem = asTwinrankError(error);
      if (problem.code !== 'bad_job') throw error;
      views.push({ id, problem });
    }
  }
  return views;
}

/** One job. Throws `bad_config` where there is none of that id, `bad_job`. */
export async function viewJob(store: DocumentStore, id: string, signal: AbortSignal): Promise<JobView> {
  return viewOf(store, id, await mustExist(store, id, signal), signal);
}

/** What a cancel came to. */
export type Cancelled =
  | { readonly kind: 'cancelled'; readonly unblocked: readonly string[] }
  | { readonly kind: 'ended already'; readonly job: Job }
  | { readonly kind: 'deleted'; readonly unblocked: readonly string[] };

/**
 * Cancels a job; its workers stop within seconds, and a write block that it has put on is taken off.
 * @param force delete a document that cannot be read, and end a job that is making its swap
 * @throws bad_config, bad_job, job_conflict
 */
export async function cancelJob(
  store: DocumentStore,
  id: string,
  force: boolean,
  unblock: (indices: readonly string[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Cancelled> {
  for (;;) {
    const stored = await mustExist(store, id, signal);
    let job: Job;
    try {
      job = parseJob(id, stored.document['body']);
    } catch (error) {
      if (!force) throw error;
      const unblocked = blockedOf(stored.document['body']);
      await unblock(unblocked);
      await store.remove([id], signal);
      return { kind: 'deleted', unblocked };
    }
    if (job.state !== 'running') return { kind: 'ended already', job };
    if (job.finishing && !force) {
      throw new TwinrankError(
        'job_conflict',
        `The job "${id}" is making its swap, which is a matter of moments. If its workers are dead, add --force.`,
      );
    }
    const before = { id, job, version: stored.version };
    const cancelled = await changeJob(store, before, { state: 'cancelled', finishing: false });
    if (cancelled === undefined) continue;
    await unblock(job.blocked);
    await changeJob(store, cancelled, { blocked: [] });
    await store.remove(passDocuments(id, job), signal);
    return { kind: 'cancelled', unblocked: job.blocked };
  }
}

async function mustExist(store: DocumentStore, id: string, signal: AbortSignal): Promise<StoredDocument> {
  const [stored] = await store.get([id], signal);
  if (stored !== undefined && stored.document['kind'] !== 'slice') return stored;
  throw new TwinrankError(
    'bad_config',
    `There is no job "${id}". Run "twinrank jobs list" to see those there are.`,
  );
}

async function viewOf(
  store: DocumentStore,
  id: string,
  stored: StoredDocument,
  signal: AbortSignal,
): Promise<JobView> {
  const job = parseJob(id, stored.document['body']);
  if (job.state !== 'running')
    return { id, job, claims: [], counts: lastCounts(job), share: job.state === 'done' ? 1 : 0, workers: [] };
  const ids = job.slices.map((_, n) => sliceId(id, job, n));
  const claims = (await store.get(ids, signal)).map((one, n) =>
    one === undefined ? undefined : parseClaim(id, ids[n] ?? '', one.document['body']),
  );
  const counts = claims.reduce((sum, claim) => addCounts(sum, claim?.counts ?? NO_COUNTS), NO_COUNTS);
  const holders = claims.flatMap((claim) => (claim?.state === 'claimed' ? [claim.owner] : []));
  return { id, job, claims, counts, share: shareOf(job, counts), workers: [...new Set(holders)] };
}

/** The indices with a write block that an unreadable job names, as far as that can be read. */
function blockedOf(body: unknown): readonly string[] {
  const blocked = isRecord(body) ? body['blocked'] : undefined;
  return Array.isArray(blocked) ? blocked.filter((index): index is string => typeof index === 'string') : [];
}
