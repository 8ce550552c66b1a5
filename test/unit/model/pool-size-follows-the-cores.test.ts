import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPoolSize, DOCUMENT_BATCH_TOKENS, QUERY_BATCH_TOKENS } from '../../../src/model/pool-size.js';

describe('pool size', () => {
  it('gives queries one worker of up to four threads', () => {
    const threads = [1, 2, 4, 64].map((cores) => defaultPoolSize('query', cores));
    assert.deepEqual(
      threads,
      [1, 2, 4, 4].map((threadsPerWorker) => ({
        workers: 1,
        threadsPerWorker,
        niceness: 0,
        batchTokensPerThread: QUERY_BATCH_TOKENS,
      })),
    );
  });

  it('gives documents a worker a core that yields to others', () => {
    const workers = [0, 1, 2, 16].map((cores) => defaultPoolSize('document', cores));
    assert.deepEqual(
      workers,
      [1, 1, 2, 16].map((workers) => ({
        workers,
        threadsPerWorker: 1,
        niceness: 10,
        batchTokensPerThread: DOCUMENT_BATCH_TOKENS,
      })),
    );
  });
});
