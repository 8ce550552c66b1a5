/** One worker of a job: claims slices, watches the others, and moves the job on when a pass has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asTwinrankError, bug, TwinrankError } from '../../../errors.js';
import { stopped } from '../patient-read.js';
import type { SliceCounts } from '../slice.js';
import type { DocumentStore } from './document-store.js';
import { shareOf, sliceId, turnId, type Job, type JobSpec } from './job.js';
import { isOtherPass, joinJob, passDocuments, readJob, type Joined, type StoredJob } from './job-record.js';
import type { Lease } from './lease.js';
import { LeaseBoard, type BoardOptions, type ClaimedPart } from './lease-board.js';
import type { Patiently } from './patience.js';
import { takeTurn } from './turn.js';
import type { ReindexWork } from './work.js';

export interface WorkerDeps {
  readonly store: DocumentStore;
  readonly work: ReindexWork;
  /** For everything after the first contact: a wrong address is told at once. */
  readonly patiently: Patiently;
  readonly onJoined?: (joined: Joined) => void;
  /** A pass is under way and what the others have done of it is known. */
  readonly onPass?: (job: Job) => void;
}

export interface WorkerOptions {
  /** Names this worker among all machines. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly slicesAtOnce: number;
}

/** How far the pass under way has come, over all workers. */
export interface JobProgress {
  readonly pass: number;
  readonly counts: SliceCounts;
  /** Share of the pass, 0 to 1. */
  readonly share: number;
}

export interface Worker {
  /**
   * Works until the job has ended, be it by this or another worker, and gives it. Rejects with `cancelled` when
   * the signal fires, after giving back what it held, with `bad_job`, `job_conflict`, or what stopped the work;
   * the job can be taken up again after all of these.
   */
  run(spec: JobSpec, signal: AbortSignal): Promise<StoredJob>;
  progress(): JobProgress | null;
}

const MOST_BETWEEN_LOOKS_MS = 2_000;

export function createWorker(deps: WorkerDeps, options: WorkerOptions): Worker {
  let progress: (() => JobProgress) | null = null;
  return {
    progress: () => progress?.() ?? null,
    async run(spec, signal) {
      const { store, work } = deps;
      await store.prepare(signal);
      const joined = await joinJob(
        store,
        spec,
        () => work.plan(signal),
        (ended) => work.unblock(ended.state === 'cancelled' ? ended.blocked : [], signal),
        signal,
      );
      deps.onJoined?.(joined);
      let { stored, resumed } = joined;
      for (; stored.job.state === 'running'; resumed = false) {
        await work.passBegins(resumed);
        const pass = new Pass(deps, options, stored);
        progress = () => pass.progress();
        stored = await pass.run(signal);
      }
      return stored;
    },
  };
}

/** One pass as this worker sees it. */
class Pass {
  readonly #deps: WorkerDeps;
  readonly #options: WorkerOptions;
  readonly #stored: StoredJob;
  readonly #slices: LeaseBoard;
  readonly #turn: LeaseBoard;
  /** Ends everything of this pass. */
  readonly #end = new AbortController();
  /** What the job became, once it is another. */
  #next: StoredJob | undefined;
  readonly #waiting = new Set<{ readonly resolve: () => void; readonly reject: (reason: unknown) => void }>();
  #hurry = false;
  #endPause: () => void = () => undefined;

  constructor(deps: WorkerDeps, options: WorkerOptions, stored: StoredJob) {
    this.#deps = deps;
    this.#options = options;
    this.#stored = stored;
    const { id, job } = stored;
    const board: BoardOptions = {
      store: deps.store,
      jobId: id,
      owner: options.owner,
      leaseMs: options.leaseMs,
      patiently: deps.patiently,
    };
    const parts = job.slices.map(({ from }, n) => ({ id: sliceId(id, job, n), from }));
    this.#slices = new LeaseBoard(parts, board);
    this.#turn = new LeaseBoard([{ id: turnId(id, job), from: 0 }], board);
    const { signal } = this.#end;
    signal.addEventListener('abort', () => {
      for (const { reject } of this.#waiting) reject(signal.reason);
      this.#waiting.clear();
      this.#lookNow();
    });
  }

  progress(): JobProgress {
    const { job } = this.#stored;
    const counts = this.#slices.counts();
    return { pass: job.pass, counts, share: shareOf(job, counts) };
  }

  /** Resolves with the job as it goes on, or as it has ended. */
  async run(signal: AbortSignal): Promise<StoredJob> {
    const stop = (): void => this.#end.abort(stopped());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const runners = Array.from({ length: this.#options.slicesAtOnce }, () => this.#work());
    const tasks = [this.#watch(), Promise.all(runners).then(() => this.#takeTurns())];
    // The first failure ends the others, which give back what they hold; it is the one to be told.
    const failures: unknown[] = [];
    await Promise.all(
      [...tasks, ...runners].map((task) =>
        task.catch((error: unknown) => {
          failures.push(error);
          this.#end.abort(error);
        }),
      ),
    );
    signal.removeEventListener('abort', stop);
    if (this.#next !== undefined) return this.#next;
    throw asTwinrankError(failures[0]);
  }

  /** Looks at the job and at what the others do, until the job is another. */
  async #watch(): Promise<void> {
    const { store, patiently } = this.#deps;
    const { id, job } = this.#stored;
    const { signal } = this.#end;
    const pause = Math.min(MOST_BETWEEN_LOOKS_MS, this.#options.leaseMs / 4);
    for (let look = 0; ; look++) {
      const now = await patiently(() => readJob(store, id, signal), signal);
      if (now === undefined)
        throw new TwinrankError(
          'job_conflict',
          `The document of job "${id}" is gone: somebody has deleted it. Run the command again to begin anew.`,
        );
      if (isOtherPass(now.job, job)) {
        this.#next = now;
        this.#end.abort(new TwinrankError('job_conflict', `The job "${id}" went on without this pass.`));
        return;
      }
      await (this.#slices.isDone() ? this.#turn : this.#slices).refresh(signal);
      if (look === 0) this.#deps.onPass?.(job);
      for (const { resolve } of this.#waiting) resolve();
      this.#waiting.clear();
      signal.throwIfAborted();
      await this.#pause(pause);
    }
  }

  /** Works slices off until none is left, of anybody. */
  async #work(): Promise<void> {
    const { signal } = this.#end;
    await this.#look();
    while (!this.#slices.isDone()) {
      signal.throwIfAborted();
      const claimed = await this.#slices.claim(signal);
      if (claimed === undefined) await this.#look();
      else await this.#workOff(claimed);
    }
  }

  async #workOff({ n, lease }: ClaimedPart): Promise<void> {
    const { work, patiently } = this.#deps;
    const { job } = this.#stored;
    const range = job.slices[n];
    if (range === undefined) throw bug(`There is no slice ${n}.`);
    const signal = AbortSignal.any([this.#end.signal, lease.lost]);
    try {
      const done = await patiently(
        (progressed) =>
          work.runSlice({
            range,
            from: lease.progress,
            all: job.spec.all && job.pass === 1,
            checkpoint: async (progress) => {
              progressed();
              await lease.checkpoint(progress);
            },
            signal,
          }),
        signal,
      );
      await lease.finish(done);
      if (this.#slices.isDone()) this.#lookNow();
    } catch (error) {
      if (lease.lost.aborted) return;
      await lease.release();
      throw error;
    }
  }

  /** When every slice is done, one worker moves the job on and the others wait for it. */
  async #takeTurns(): Promise<void> {
    const { signal } = this.#end;
    for (;;) {
      signal.throwIfAborted();
      const claimed = await this.#turn.claim(signal);
      if (claimed !== undefined) await this.#takeTurn(claimed.lease);
      await this.#look();
    }
  }

  async #takeTurn(lease: Lease): Promise<void> {
    const { store } = this.#deps;
    const { id, job } = this.#stored;
    const signal = AbortSignal.any([this.#end.signal, lease.lost]);
    try {
      if (!(await takeTurn(this.#deps, this.#stored, this.#slices.counts(), signal))) return;
      lease.drop();
      // What is left of a pass that has ended only takes room; one that stays does no harm.
      await store.remove(passDocuments(id, job), signal).catch(() => undefined);
    } catch (error) {
      if (!lease.lost.aborted) throw error;
    } finally {
      await lease.release();
      // The watch sees what the job is now.
      this.#lookNow();
    }
  }

  /** Resolves after the next look at the others. */
  #look(): Promise<void> {
    this.#end.signal.throwIfAborted();
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  /** The next look is made at once. */
  #lookNow(): void {
    this.#hurry = true;
    this.#endPause();
  }

  async #pause(ms: number): Promise<void> {
    const over = new AbortController();
    this.#endPause = () => over.abort();
    if (!this.#hurry) await sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
    this.#hurry = false;
  }
}
