/** The model's queue, batches, workers and caches. */
import type { EncodedBatch, EncoderPoolStats } from '../../model/encoder-pool.js';
import { SECONDS, type Metrics } from './registry.js';

export interface EncoderCounting {
  readonly onBatch: (batch: EncodedBatch) => void;
  /** For the cache of that name. */
  readonly onLookUp: (cache: CacheName) => (found: number, missing: number) => void;
}

/** Query vectors of the proxy, titles of the sidecar, texts of the endpoints for other systems. */
export type CacheName = 'query' | 'title' | 'endpoint';

const TEXTS = [1, 2, 4, 8, 16, 32, 64] as const;
const TOKENS = [8, 16, 32, 64, 128, 192, 256, 384, 512, 1024] as const;

/** @param stats of the pool; undefined while the model is loading */
export function addEncoderMetrics(
  metrics: Metrics,
  stats: () => EncoderPoolStats | undefined,
): EncoderCounting {
  const read = (pick: (now: EncoderPoolStats) => number) => (): number => {
    const now = stats();
    return now === undefined ? 0 : pick(now);
  };
  metrics.gauge('twinrank_queue_texts', 'Texts that wait for the model.', read((now) => now.queued)); // prettier-ignore
  metrics.gauge('twinrank_queue_limit_texts', 'How many texts may wait.', read((now) => now.maxQueued)); // prettier-ignore
  metrics.gauge('twinrank_encoder_in_flight_texts', 'Texts that are being encoded.', read((now) => now.inFlight)); // prettier-ignore
  metrics.gauge('twinrank_encoder_workers', 'Inference workers that are up.', read((now) => now.workers)); // prettier-ignore
  metrics.countOf('twinrank_encoder_worker_restarts_total', 'Inference workers that ended and were replaced.', read((now) => now.restarts)); // prettier-ignore
  metrics.countOf('twinrank_encoder_refused_texts_total', 'Texts that were not taken since the queue was full.', read((now) => now.refused)); // prettier-ignore
  const tokens = metrics.histogram(
    'twinrank_encoder_batch_tokens',
    'Tokens of a batch, padding included.',
    TOKENS,
  );
  const texts = metrics.histogram('twinrank_encoder_batch_texts', 'Texts of a batch.', TEXTS);
  const seconds = metrics.histogram(
    'twinrank_encoder_batch_duration_seconds',
    'What a batch takes in its worker.',
    SECONDS,
  );
  const lookUps = metrics.counter(
    'twinrank_vector_cache_texts_total',
    'Texts whose vector was looked up: there already or under way (hit), or not (miss).',
    ['cache', 'result'],
  );
  return {
    onBatch(batch) {
      texts.observe({}, batch.texts);
      tokens.observe({}, batch.paddedTokens);
      seconds.observe({}, batch.ms / 1000);
    },
    onLookUp(cache) {
      lookUps.add({ cache, result: 'hit' }, 0);
      lookUps.add({ cache, result: 'miss' }, 0);
      return (found, missing) => {
        if (found > 0) lookUps.add({ cache, result: 'hit' }, found);
        if (missing > 0) lookUps.add({ cache, result: 'miss' }, missing);
      };
    },
  };
}
