import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { JobQueue } from '../../../src/model/job-queue.js';

const LIMITS = { maxQueuedTexts: 6, paddedTokens: 1000, lookAhead: 100, maxTokens: 256 };
const lost = new TwinrankError('encode_failed', 'the thread ended');
const texts = (batch: { text: string }[]) => batch.map((entry) => entry.text);

describe('queue', () => {
  it('gives queries before documents, each kind in its own batch', () => {
    const queue = new JobQueue(LIMITS);
    void queue.add(['d1', 'd2'], { kind: 'document' });
    void queue.add(['q1'], { kind: 'query' });
    assert.deepEqual(texts(queue.take()), ['q1']);
    assert.deepEqual(texts(queue.take()), ['d1', 'd2']);
    assert.deepEqual(queue.take(), []);
  });

  it('answers each caller in input order, across batches', async () => {
    const queue = new JobQueue({ ...LIMITS, paddedTokens: 1 });
    const answer = queue.add(['a', 'b'], { kind: 'document' });
    const [first, second] = [queue.take()[0], queue.take()[0]];
    second?.settle(Float32Array.of(2));
    first?.settle(Float32Array.of(1));
    assert.deepEqual(await answer, [Float32Array.of(1), Float32Array.of(2)]);
  });

  it('answers no texts at once', async () => {
    assert.deepEqual(await new JobQueue(LIMITS).add([], { kind: 'query' }), []);
  });

  it('refuses what does not fit now, naming the limit', async () => {
    const queue = new JobQueue(LIMITS);
    void queue.add(['1', '2', '3', '4', '5'], { kind: 'document' });
    await assert.rejects(queue.add(['6', '7'], { kind: 'query' }), {
      code: 'overloaded',
      message: /at most 6/,
    });
    queue.take();
    void queue.add(['6', '7'], { kind: 'query' });
    assert.equal(queue.size, 2);
  });

  it('refuses what can never fit with another error', async () => {
    const seven = ['1', '2', '3', '4', '5', '6', '7'];
    const answer = new JobQueue(LIMITS).add(seven, { kind: 'document' });
    await assert.rejects(answer, { code: 'body_too_large', message: /7 texts.*holds 6/ });
  });

  it('drops what waits when its caller leaves, and makes room', async () => {
    const queue = new JobQueue(LIMITS);
    const caller = new AbortController();
    const answer = queue.add(['a', 'b'], { kind: 'document', signal: caller.signal });
    void queue.add(['c'], { kind: 'document' });
    caller.abort();
    await assert.rejects(answer, { code: 'cancelled' });
    assert.equal(queue.size, 1);
    assert.deepEqual(texts(queue.take()), ['c']);
  });

  it('does not take texts of a caller who has left already', async () => {
    const queue = new JobQueue(LIMITS);
    const signal = AbortSignal.abort();
    await assert.rejects(queue.add(['a'], { kind: 'query', signal }), { code: 'cancelled' });
    assert.equal(queue.size, 0);
  });

  it('ignores a vector that comes after its caller left', async () => {
    const queue = new JobQueue(LIMITS);
    const caller = new AbortController();
    const answer = queue.add(['a'], { kind: 'query', signal: caller.signal });
    const [entry] = queue.take();
    caller.abort();
    entry?.settle(Float32Array.of(1));
    await assert.rejects(answer, { code: 'cancelled' });
  });

  it('tries lost texts once more, one at a time and first of all, then fails them', async () => {
    const queue = new JobQueue(LIMITS);
    const answer = queue.add(['a', 'b'], { kind: 'document' });
    queue.giveBack(queue.take(), lost);
    void queue.add(['q'], { kind: 'query' });
    const again = queue.take();
    assert.deepEqual(texts(again), ['a']);
    queue.giveBack(again, lost);
    await assert.rejects(answer, { code: 'encode_failed', message: 'the thread ended' });
    assert.deepEqual(texts(queue.take()), ['q']);
    assert.equal(queue.size, 0);
  });

  it('does not try lost texts again whose caller has left', async () => {
    const queue = new JobQueue(LIMITS);
    const caller = new AbortController();
    const answer = queue.add(['a'], { kind: 'document', signal: caller.signal });
    const batch = queue.take();
    caller.abort();
    queue.giveBack(batch, lost);
    await assert.rejects(answer, { code: 'cancelled' });
    assert.equal(queue.size, 0);
  });

  it('names each waiting document once to be tokenised, and chooses by the ids that it is told', () => {
    const queue = new JobQueue({ ...LIMITS, paddedTokens: 6 });
    void queue.add(['q'], { kind: 'query' });
    void queue.add(['a', 'bb', 'ccc', 'd'], { kind: 'document' });
    const [first, second] = [queue.toMeasure(3), queue.toMeasure(3)];
    assert.deepEqual([texts(first), texts(second), queue.toMeasure(3)], [['a', 'bb', 'ccc'], ['d'], []]);
    // The estimates of all four are alike; by their ids the first and the third are of one length.
    const ids = [[1, 2, 3], [1, 2, 3, 4, 5, 6], [1, 2, 3], null];
    [...first, ...second].forEach((entry, i) => entry.setIds(ids[i] ?? null));
    assert.deepEqual(texts(queue.take()), ['q']);
    assert.deepEqual(texts(queue.take()), ['a', 'ccc']);
    assert.deepEqual(queue.take()[0]?.ids, ids[1]);
  });
});
