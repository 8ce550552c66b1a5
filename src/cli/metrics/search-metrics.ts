/** What the proxy does to searches. */
import type { SearchObserver } from '../../rerank/search-observer.js';
import { SECONDS, type Metrics } from './registry.js';

/** Metrics of the rerank proxy. */
export function addSearchMetrics(metrics: Metrics): SearchObserver {
  const searches = metrics.counter(
    'twinrank_searches_total',
    'Searches by what was done and why; each search of a multi-search counts.',
    ['outcome', 'reason'],
  );
  const parts = metrics.histogram(
    'twinrank_search_part_duration_seconds',
    "Where a search's time goes: upstream (the engine), encode (the query's vector), score (our own work on the answer).",
    SECONDS,
    ['part'],
  );
  const vectors = metrics.counter(
    'twinrank_hit_vectors_total',
    'Hits of the windows by the state of their vector: fresh, encoded_now, or why there is none.',
    ['state'],
  );
  for (const state of ['fresh', 'encoded_now', 'missing', 'stale']) vectors.add({ state }, 0);
  return {
    searched(outcome, count) {
      const reason = outcome.kind === 'skipped' ? outcome.reason : '';
      searches.add({ outcome: outcome.kind, reason }, count);
    },
    took: (part, ms) => parts.observe({ part }, ms / 1000),
    vectors({ fresh, encodedNow, problems }) {
      if (fresh > 0) vectors.add({ state: 'fresh' }, fresh);
      if (encodedNow > 0) vectors.add({ state: 'encoded_now' }, encodedNow);
      for (const [state, count] of Object.entries(problems)) vectors.add({ state }, count);
    },
  };
}
