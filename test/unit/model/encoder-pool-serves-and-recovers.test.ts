import assert from 'node:assert/strict';
import { afterEach, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Bundle } from '../../../src/model/bundle.js';
import { loadBundle } from '../../../src/model/bundle.js';
import type { EncoderPool, EncoderPoolOptions } from '../../../src/model/encoder-pool.js';
import { createEncoderPool } from '../../../src/model/encoder-pool.js';
import type { WorkerSetup } from '../../../src/model/worker-protocol.js';
import { startEncoderThread } from '../../../src/model/worker-thread.js';
import { BUNDLE_FOLDER, difference } from './fixtures.js';

const titles = (count: number) =>
  Array.from({ length: count }, (_, i) => `how to renew passport number ${i}`);

let bundle: Bundle;
let pool: EncoderPool;
/** Every thread that the pool started, oldest first: ending one is what a crash looks like from outside. */
let threads: Worker[] = [];

async function start(
  options: Partial<EncoderPoolOptions> = {},
  changed: (setup: WorkerSetup, index: number) => WorkerSetup = (setup) => setup,
): Promise<void> {
  threads = [];
  pool = await createEncoderPool(
    bundle,
    { workers: 1, threadsPerWorker: 1, batchTokensPerThread: 60, ...options },
    (setup) => {
      const thread = startEncoderThread(changed(setup, threads.length));
      threads.push(thread);
      return thread;
    },
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/**
 * Makes the newest thread end by an error of its own, before it looks at the batch that comes next: a message that
 * is none. Terminated from outside within native code, a thread can take the process along.
 */
function crash(): void {
  threads.at(-1)?.postMessage(null);
}

describe('encoder pool', () => {
  before(async () => {
    bundle = await loadBundle(BUNDLE_FOLDER);
  });
  afterEach(() => pool.close());

  it('encodes a query before the documents that wait already', async () => {
    await start();
    const order: string[] = [];
    const documents = pool.encode(titles(30), { kind: 'document' }).then(() => order.push('documents'));
    await pool.encode(['passport'], { kind: 'query' }).then(() => order.push('query'));
    await documents;
    assert.deepEqual(order, ['query', 'documents']);
  });

  it('does no work for texts whose caller has left', async () => {
    await start();
    const caller = new AbortController();
    const answer = pool.encode(titles(30), { kind: 'document', signal: caller.signal });
    await until(() => pool.stats().inFlight > 0);
    const { inFlight } = pool.stats();
    caller.abort();
    await assert.rejects(answer, { code: 'cancelled' });
    assert.equal(pool.stats().queued, 0);
    await until(() => pool.stats().inFlight === 0);
    const { batches, texts } = pool.stats();
    assert.deepEqual({ batches, texts }, { batches: 1, texts: inFlight });
  });

  it('refuses texts beyond its limit and takes them again later', async () => {
    await start({ maxQueuedTexts: 8 });
    await assert.rejects(pool.encode(titles(9), { kind: 'document' }), { code: 'body_too_large' });
    const first = pool.encode(titles(8), { kind: 'document' });
    await assert.rejects(pool.encode(titles(8), { kind: 'document' }), {
      code: 'overloaded',
      message: /at most 8/,
    });
    await first;
    assert.equal((await pool.encode(titles(8), { kind: 'document' })).length, 8);
  });

  it('replaces a thread that ends and encodes its texts on the next one', async () => {
    await start();
    const expected = await pool.encode(titles(6), { kind: 'document' });
    crash();
    const answer = pool.encode(titles(6), { kind: 'document' });
    for (const [i, vector] of (await answer).entries())
      assert.ok(difference(vector, expected[i] ?? []) <= 1e-5);
    assert.equal(pool.stats().restarts, 1);
    assert.equal(pool.stats().workers, 1);
  });

  it('replaces a thread that ends while it has nothing to do', async () => {
    await start();
    crash();
    await until(() => pool.stats().restarts === 1);
    assert.equal((await pool.encode(['passport'], { kind: 'query' })).length, 1);
    assert.equal(threads.length, 2);
  });

  it('fails a text whose second thread ends as well', async () => {
    await start();
    crash();
    const answer = pool.encode(['passport'], { kind: 'document' });
    const outcome = assert.rejects(answer, {
      code: 'encode_failed',
      message: /could not be encoded: TypeError/,
    });
    await until(() => threads.length === 2);
    crash();
    await outcome;
    assert.equal((await pool.encode(['passport'], { kind: 'document' })).length, 1);
  });

  it('says so while no thread can be started, and comes back', async () => {
    const broken = (setup: WorkerSetup, index: number) =>
      index === 1 ? { ...setup, paths: { ...setup.paths, encoder: setup.paths.tokenizer } } : setup;
    await start({}, broken);
    crash();
    await assert.rejects(pool.encode(titles(6), { kind: 'document' }), { code: 'not_ready' });
    await assert.rejects(pool.encode(['passport'], { kind: 'query' }), { code: 'not_ready' });
    await until(() => pool.stats().workers === 1);
    assert.equal((await pool.encode(['passport'], { kind: 'query' })).length, 1);
  });

  it('finishes what waits when it closes, and takes no more', async () => {
    await start();
    const answer = pool.encode(titles(12), { kind: 'document' });
    const closed = pool.close();
    await assert.rejects(pool.encode(['late'], { kind: 'query' }), { code: 'not_ready' });
    assert.equal((await answer).length, 12);
    await closed;
    assert.equal(pool.close(), closed);
    assert.equal(pool.stats().workers, 0);
  });

  it('cancels what waits when closing takes too long', async () => {
    await start();
    const answer = pool.encode(titles(200), { kind: 'document' });
    const outcome = assert.rejects(answer, { code: 'cancelled' });
    const patience = new AbortController();
    const closed = pool.close(patience.signal);
    patience.abort();
    await outcome;
    await closed;
  });

  it('counts what it does', async () => {
    await start({ workers: 2 });
    await pool.encode(titles(20), { kind: 'document' });
    const { batches, paddedTokens, ...rest } = pool.stats();
    assert.deepEqual(rest, {
      queued: 0,
      maxQueued: 4096,
      refused: 0,
      inFlight: 0,
      workers: 2,
      restarts: 0,
      texts: 20,
    });
    assert.ok(batches > 1 && paddedTokens >= 20 * 10);
  });
});
