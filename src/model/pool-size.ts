/**
 * How many workers and threads suit a purpose. Pure; the cores come from the caller.
 */

export interface PoolSize {
  readonly workers: number;
  readonly threadsPerWorker: number;
  /** How much the threads yield to others: a waiting searcher is served, a document can wait. */
  readonly niceness: number;
  /** Count x longest of a batch, for each thread. */
  readonly batchTokensPerThread: number;
}

/**
 * Tokens of a batch in which a query may have to wait for the batch before it: about 40 ms for a 12-layer,
 * 384-dimensional encoder with 4-bit weights.
 */
export const QUERY_BATCH_TOKENS = 160;
/** Where nobody waits for one text: 2 to 6 % more titles a second. Larger ones outgrow a core's cache. */
export const DOCUMENT_BATCH_TOKENS = 320;

/**
 * `query`: searches, one short text at a time; a few cores together answer soonest, more than four only wait
 * for one another. `document`: throughput; a worker a core on one thread each wastes no time on handing parts
 * of a batch around.
 */
export function defaultPoolSize(purpose: 'query' | 'document', cores: number): PoolSize {
  const usable = Math.max(1, Math.floor(cores));
  return purpose === 'query'
    ? {
        workers: 1,
        threadsPerWorker: Math.min(usable, 4),
        niceness: 0,
        batchTokensPerThread: QUERY_BATCH_TOKENS,
      }
    : {
        workers: usable,
        threadsPerWorker: 1,
        niceness: 10,
        batchTokensPerThread: DOCUMENT_BATCH_TOKENS,
      };
}
