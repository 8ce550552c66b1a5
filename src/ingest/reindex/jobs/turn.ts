/** Moves a job from a pass that has ended to what comes next. Every step can be repeated by another worker. */
import type { SliceCounts } from '../slice.js';
import type { DocumentStore } from './document-store.js';
import type { Job, PassRecord } from './job.js';
import { changeJob, isOtherPass, readJob, type StoredJob } from './job-record.js';
import { nextStep } from './next-step.js';
import type { Patiently } from './patience.js';
import type { ReindexWork } from './work.js';

export interface TurnDeps {
  readonly store: DocumentStore;
  readonly work: ReindexWork;
  readonly patiently: Patiently;
}

/**
 * Takes a job on to its next pass or its end. False where it was changed by somebody else meanwhile, whose change
 * then holds.
 */
export async function takeTurn(
  deps: TurnDeps,
  stored: StoredJob,
  counts: SliceCounts,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, patiently } = deps;
  // Another worker may have come half-way before it was killed.
  const now = await patiently(() => readJob(store, stored.id, signal), signal);
  if (now === undefined || isOtherPass(now.job, stored.job)) return false;
  const { job } = now;
  const { pass, closed, passStarted: started } = job;
  const ended: PassRecord = { pass, closed, started, ended: new Date().toISOString(), counts };
  const turn = new Turn(deps, [...job.history, ended], signal);
  const step = nextStep(job, counts);
  if (step.kind === 'fail') return turn.fail(now, step.reason);
  if (step.kind === 'finish') return turn.finish(now);
  return turn.nextPass(now, step.close);
}

class Turn {
  readonly #deps: TurnDeps;
  readonly #history: readonly PassRecord[];
  readonly #signal: AbortSignal;

  constructor(deps: TurnDeps, history: readonly PassRecord[], signal: AbortSignal) {
    this.#deps = deps;
    this.#history = history;
    this.#signal = signal;
  }

  async nextPass(stored: StoredJob, close: boolean): Promise<boolean> {
    const now = close ? await this.#close(stored) : stored;
    if (now === undefined) return false;
    const plan = await this.#work((work, signal) => work.plan(signal));
    const moved = await this.#change(now, {
      pass: now.job.pass + 1,
      passStarted: new Date().toISOString(),
      closed: now.job.closed || close,
      ...plan,
      history: this.#history,
    });
    // Whoever cancelled it may have been too early to take the block off that was just being put on.
    if (!moved && close) await this.#unblockIfCancelled(now);
    return moved !== undefined;
  }

  async finish(stored: StoredJob): Promise<boolean> {
    const now = await this.#change(stored, { finishing: true });
    if (now === undefined) return false;
    const refusal = await this.#work((work, signal) => work.finish(now.job.closed, signal));
    if (refusal !== null) return this.fail(now, refusal);
    const done = { state: 'done', history: this.#history, blocked: [], finishing: false } as const;
    return (await this.#change(now, done)) !== undefined;
  }

  async fail(stored: StoredJob, reason: string): Promise<boolean> {
    // The block comes off first: a job that has failed leaves nothing that somebody must take care of.
    await this.#work((work, signal) => work.unblock(stored.job.blocked, signal));
    const failed = {
      state: 'failed',
      reason,
      history: this.#history,
      blocked: [],
      finishing: false,
    } as const;
    return (await this.#change(stored, failed)) !== undefined;
  }

  /** Closes the source to writes. What will be blocked is noted first, so that whoever comes later can undo it. */
  async #close(stored: StoredJob): Promise<StoredJob | undefined> {
    const open = await this.#work((work, signal) => work.open(signal));
    const blocked = [...new Set([...stored.job.blocked, ...open])];
    const noted = await this.#change(stored, { blocked });
    if (noted !== undefined) await this.#work((work, signal) => work.block(blocked, signal));
    return noted;
  }

  async #unblockIfCancelled({ id, job }: StoredJob): Promise<void> {
    const { store, patiently } = this.#deps;
    const now = await patiently(() => readJob(store, id, this.#signal), this.#signal);
    if (now?.job.state === 'cancelled') await this.#work((work, signal) => work.unblock(job.blocked, signal));
  }

  #change(from: StoredJob, to: Partial<Job>): Promise<StoredJob | undefined> {
    const { store, patiently } = this.#deps;
    return changeJob(store, from, to, patiently, this.#signal);
  }

  #work<T>(task: (work: ReindexWork, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { work, patiently } = this.#deps;
    return patiently(() => task(work, this.#signal), this.#signal);
  }
}
