import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paceOf } from '../../../src/cli/progress.js';

describe('The pace of work', () => {
  it('is what was done since the start, and the time left at that', () => {
    const pace = paceOf({ done: 25, total: 100, count: 500, failed: 0 }, 10);
    assert.deepEqual(pace, { rate: 50, etaSeconds: 30 });
  });

  it('leaves out what had been done before', () => {
    const before = { done: 50, total: 100, count: 1_000, failed: 0 };
    const pace = paceOf({ done: 75, total: 100, count: 1_500, failed: 0 }, 10, before);
    assert.deepEqual(pace, { rate: 50, etaSeconds: 10 });
  });

  it('is unknown while nothing was done', () => {
    const before = { done: 50, total: 100, count: 1_000, failed: 0 };
    assert.deepEqual(paceOf(before, 10, before), { rate: 0, etaSeconds: null });
  });
});
