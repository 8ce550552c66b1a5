/** How far a reindex has come. */
import type { JobProgress } from '../../ingest/reindex/jobs/worker.js';
import type { Metrics } from './registry.js';

/** @param progress of the pass under way, over all workers of the job; null before the first */
export function addReindexMetrics(metrics: Metrics, progress: () => JobProgress | null): void {
  metrics.gauge(
    'twinrank_reindex_pass',
    'Number of the pass under way; 0 before the first.',
    () => progress()?.pass ?? 0,
  );
  metrics.gauge(
    'twinrank_reindex_progress_ratio',
    'Share of the pass that is done, 0 to 1, over all workers of the job.',
    () => progress()?.share ?? 0,
  );
  metrics.gauges(
    'twinrank_reindex_documents',
    'Documents of the pass so far, over all workers of the job, by what became of them.',
    'state',
    () => {
      const counts = progress()?.counts;
      return {
        fresh: counts?.fresh ?? 0,
        written: counts?.written ?? 0,
        no_text: counts?.noText ?? 0,
        failed: counts?.failed ?? 0,
        vanished: counts?.vanished ?? 0,
      };
    },
  );
}
