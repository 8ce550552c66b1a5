/**
 * How many workers and threads suit a purpose. Pure; the cores come from the caller.
 */

export interface PoolSize {
  readonly workers: number;
  readonly threadsPerWorker: number;
  /** How much the threads yield to others: a waiting searcher is served, a document can wait. */
  readonly niceness: number;
}

/**
 * `query`: searches, one short text at a time; a few cores together answer soonest, more than four only wait
 * for one another. `document`: throughput; a worker a core on one thread each wastes no time on handing parts
 * of a batch around.
 */
export function defaultPoolSize(purpose: 'query' | 'document', cores: number): PoolSize {
  const usable = Math.max(1, Math.floor(cores));
  if (purpose === 'query') return { workers: 1, threadsPerWorker: Math.min(usable, 4), niceness: 0 };
  return { workers: usable, threadsPerWorker: 1, niceness: 10 };
}
