/** Requests of callers, and what the engine answered to ours. */
import type { RequestEnd, RequestRecord } from '../../http/request-record.js';
import type { UpstreamObserver } from '../../http/upstream.js';
import { SECONDS, type Metrics } from './registry.js';

export interface RequestCounting {
  begin(): void;
  end(record: RequestRecord, end: RequestEnd): void;
}

/** Metrics of the requests that a service answers. */
export function addRequestMetrics(metrics: Metrics): RequestCounting {
  let underWay = 0;
  const requests = metrics.counter(
    'twinrank_requests_total',
    'Requests by API, what was done, why, and the class of the status (none: the caller left before).',
    ['kind', 'outcome', 'reason', 'status'],
  );
  const seconds = metrics.histogram(
    'twinrank_request_duration_seconds',
    'From when a request is there until its answer is out.',
    SECONDS,
    ['kind'],
  );
  const bytesIn = metrics.counter('twinrank_received_bytes_total', 'Bytes of callers, heads included.');
  const bytesOut = metrics.counter('twinrank_sent_bytes_total', 'Bytes to callers, heads included.');
  metrics.gauge('twinrank_requests_in_flight', 'Requests that are being answered.', () => underWay);
  return {
    begin: () => underWay++,
    end({ kind, outcome, reason }, { ms, status, isCancelled, ...end }) {
      underWay--;
      requests.add({
        kind,
        outcome: isCancelled ? 'cancelled' : outcome,
        reason: isCancelled ? '' : reason,
        status: classOf(status),
      });
      seconds.observe({ kind }, ms / 1000);
      bytesIn.add({}, end.bytesIn);
      bytesOut.add({}, end.bytesOut);
    },
  };
}

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Class of a status, 0 being none. */
function classOf(status: number): string {
  // Looked up, since this is asked twice for every request.
  return CLASSES[Math.floor(status / 100)] ?? 'none';
}

/** Metrics of the way to the engine. */
export function addUpstreamMetrics(metrics: Metrics): UpstreamObserver {
  const responses = metrics.counter(
    'twinrank_upstream_responses_total',
    "The engine's answers by the class of their status.",
    ['status'],
  );
  const errors = metrics.counter(
    'twinrank_upstream_errors_total',
    'Requests to the engine that got no whole answer.',
    ['code'],
  );
  for (const code of ['upstream_unreachable', 'upstream_timeout']) errors.add({ code }, 0);
  return {
    answered: (status) => responses.add({ status: classOf(status) }),
    failed: (code) => errors.add({ code }),
  };
}
