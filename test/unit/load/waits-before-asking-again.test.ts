import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delayBefore, retryAfterMs } from '../../../src/search-engine/back-off.js';

const backOff = { retries: 5, firstDelay: 100, maxDelay: 1000 };

describe('back-off', () => {
  it('doubles its ceiling up to the limit and spreads below it', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 50].map((retry) => delayBefore(retry, null, backOff, () => 1)),
      [100, 200, 400, 800, 1000, 1000],
    );
    assert.equal(
      delayBefore(3, null, backOff, () => 0),
      0,
    );
  });

  it('waits at least as long as it was asked to, within the limit', () => {
    assert.equal(
      delayBefore(0, 500, backOff, () => 0.5),
      550,
    );
    assert.equal(
      delayBefore(0, 99_000, backOff, () => 0.5),
      1000,
    );
  });

  it('reads seconds and dates of Retry-After', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    assert.equal(retryAfterMs('7', now), 7000);
    assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:10 GMT', now), 10_000);
    assert.equal(retryAfterMs('Thu, 01 Jan 2025 00:00:10 GMT', now), 0);
    assert.equal(retryAfterMs('soon', now), null);
    assert.equal(retryAfterMs(undefined, now), null);
  });
});
