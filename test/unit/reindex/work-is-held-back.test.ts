import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { createPageSize } from '../../../src/ingest/reindex/page-size.js';
import { createThrottle, type Clock } from '../../../src/ingest/reindex/throttle.js';

const NEVER = new AbortController().signal;

/** A clock that sleeping moves on. */
function handClock(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    sleep: (ms: number) => {
      clock.at += ms;
      return Promise.resolve();
    },
  };
  return clock;
}

describe('the throttle', () => {
  it('lets so many documents a second through, whatever the pieces', async () => {
    for (const piece of [1, 10, 33, 500]) {
      const clock = handClock();
      const throttle = createThrottle({ documentsPerSecond: 100 }, clock);
      for (let taken = 0; taken < 2_000; taken += piece) await throttle.take(piece, 1e9, NEVER);
      const pieces = Math.ceil(2_000 / piece) * piece;
      // The first second's worth is free.
      assert.ok(Math.abs(clock.at - (pieces - 100) * 10) < 1e-6, `${piece}: ${clock.at}`);
    }
  });

  it('obeys the tighter of documents and bytes', async () => {
    const clock = handClock();
    const throttle = createThrottle({ documentsPerSecond: 10, bytesPerSecond: 1_000 }, clock);
    for (let i = 0; i < 11; i++) await throttle.take(1, 1_000, NEVER);
    assert.equal(Math.round(clock.at), 10_000);
  });

  it('does not save up more than a second', async () => {
    const clock = handClock();
    const throttle = createThrottle({ documentsPerSecond: 10 }, clock);
    clock.at = 60_000;
    await throttle.take(20, 0, NEVER);
    assert.equal(Math.round(clock.at), 61_000);
  });

  it('does nothing without rates', async () => {
    const clock = handClock();
    await createThrottle({}, clock).take(1e9, 1e12, NEVER);
    assert.equal(clock.at, 0);
  });

  it('can be left while waiting', async () => {
    const stop = new AbortController();
    const waiting = createThrottle({ documentsPerSecond: 1 }).take(1_000, 0, stop.signal);
    stop.abort();
    await assert.rejects(waiting, (error) => error instanceof TwinrankError && error.code === 'cancelled');
  });
});

describe('the size of a page', () => {
  const limits = { documents: 500, bytes: 1_000_000, seconds: 2 };

  it('grows to its limit for small documents', () => {
    const size = createPageSize(limits);
    for (let i = 0; i < 5; i++) size.seen(size.now(), size.now() * 100);
    assert.equal(size.now(), 500);
  });

  it('keeps a page within its bytes', () => {
    const size = createPageSize(limits);
    size.seen(100, 100 * 50_000);
    assert.equal(size.now(), 20);
    size.seen(20, 20 * 5_000_000);
    assert.equal(size.now(), 1);
    size.seen(1, 1_000);
    assert.equal(size.now(), 4);
  });

  it('halves when an answer is too large, down to one document', () => {
    const size = createPageSize(limits);
    const seen: number[] = [];
    while (size.tooLarge()) seen.push(size.now());
    assert.deepEqual(seen, [50, 25, 12, 6, 3, 1]);
  });

  it('is smaller where a page takes long, and not for ever', () => {
    const size = createPageSize({ ...limits, documents: 100 });
    size.took(100, 4);
    assert.equal(size.now(), 50);
    size.took(50, 400);
    assert.equal(size.now(), 32);
    size.took(32, 0.1);
    size.took(64, 0.1);
    assert.equal(size.now(), 100);
  });
});
