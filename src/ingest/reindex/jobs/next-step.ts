/** What follows when every slice of a pass is done. Pure. */
import type { SliceCounts } from '../slice.js';
import type { Job } from './job.js';

export type NextStep =
  /** One more pass; `close`: with the source closed to writes from now on. */
  | { readonly kind: 'pass'; readonly close: boolean }
  /** Every document is known to be fresh. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'fail'; readonly reason: string };

/** So few writes in a pass that those of the next, under the write block, are a matter of moments. */
const LITTLE = 1_000;

/**
 * In place, and into a new index without a swap, a job is done when a whole pass has found nothing to do: that pass
 * is the verification. Before a swap the last pass runs with the source closed to writes, so what it wrote
 * cannot become stale behind it.
 */
export function nextStep(
  job: Pick<Job, 'spec' | 'pass' | 'closed' | 'history'>,
  counts: SliceCounts,
): NextStep {
  const { failed, written } = counts;
  const isLast = job.pass >= job.spec.passes;
  if (job.closed && failed === 0) return { kind: 'finish' };
  if (job.closed) {
    const isSecond = job.history.some((earlier) => earlier.closed);
    return isLast || isSecond ? { kind: 'fail', reason: failures(failed) } : { kind: 'pass', close: false };
  }
  // What fails again is not helped by a third try; it may be once, as when a node was restarted.
  if (failed > 0 && written === 0 && job.pass > 1) return { kind: 'fail', reason: failures(failed) };
  if (job.spec.swap !== null) {
    return { kind: 'pass', close: job.pass > 1 || (failed === 0 && written <= LITTLE) };
  }
  if (failed === 0 && written === 0) return { kind: 'finish' };
  if (!isLast) return { kind: 'pass', close: false };
  if (failed > 0) return { kind: 'fail', reason: failures(failed) };
  return {
    kind: 'fail',
    reason:
      `pass ${job.pass} of ${job.spec.passes} still found ${written} documents without a fresh vector and wrote them, so nothing shows that all are fresh. ` +
      'If somebody writes past the sidecar, send those writes through it; then run the command again, or raise --passes.',
  };
}

function failures(failed: number): string {
  return `${failed} ${failed === 1 ? 'document' : 'documents'} could not be given a fresh vector, in a second try either. The failures file (--failures FILE) says why; mend them and run the command again, or give it --only FILE.`;
}
