/** What the sidecar does to writes. */
import type { BulkLine, IngestObserver } from '../../ingest/ingest-observer.js';
import type { Metrics } from './registry.js';

/** @param bulkLine undefined until the sidecar is made */
export function addIngestMetrics(metrics: Metrics, bulkLine: () => BulkLine | undefined): IngestObserver {
  const documents = metrics.counter(
    'twinrank_documents_total',
    'Documents by what became of their vector (vector: a new one was written); rejected were not sent on.',
    ['outcome'],
  );
  for (const outcome of ['vector', 'rejected']) documents.add({ outcome }, 0);
  const retries = metrics.counter(
    'twinrank_write_retries_total',
    'Times that a write was sent again, since the engine had not taken it.',
  );
  const waiting = 'Bulk requests that wait unread for their turn.';
  metrics.gauge('twinrank_bulk_requests_waiting', waiting, () => bulkLine()?.waiting ?? 0);
  const underWay = 'Bulk requests that are worked on.';
  metrics.gauge('twinrank_bulk_requests_in_flight', underWay, () => bulkLine()?.underWay ?? 0);
  return {
    document: (outcome) => documents.add({ outcome }),
    retried: () => retries.add({}),
  };
}
