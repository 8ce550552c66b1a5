import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { settingsCache } from '../../../src/search-engine/settings-cache.js';

const OUTAGE = new TwinrankError('upstream_unreachable', 'x');
const REFUSAL = new TwinrankError('upstream_answer', 'x');

describe('settings that were read once', () => {
  it('are believed for their time, and read once for all who wait', async () => {
    let now = 0;
    const cached = settingsCache(5_000, () => now);
    const engine = answers('a', 'b');
    assert.deepEqual(await Promise.all([cached('k', engine), cached('k', engine)]), ['a', 'a']);
    now = 4_999;
    assert.equal(await cached('k', engine), 'a');
    now = 5_000;
    assert.equal(await cached('k', engine), 'b');
  });

  it('go on while the engine cannot answer, and are asked for again soon', async () => {
    let now = 0;
    const cached = settingsCache(5_000, () => now);
    const engine = answers('a', OUTAGE, OUTAGE, 'b');
    for (const [at, expected] of [
      [0, 'a'],
      [5_000, 'a'],
      [10_000, 'a'],
      [15_000, 'b'],
    ] as const) {
      now = at;
      assert.equal(await cached('k', engine, { patienceMs: 0 }), expected);
    }
  });

  it('do not go on where the engine refuses them, or where nobody asked for that', async () => {
    let now = 0;
    const cached = settingsCache(5_000, () => now);
    await cached('k', answers('a'), { patienceMs: 0 });
    now = 5_000;
    await assert.rejects(cached('k', answers(REFUSAL), { patienceMs: 0 }), REFUSAL);
    await cached('other', answers('a'));
    now = 10_000;
    await assert.rejects(cached('other', answers(OUTAGE)), OUTAGE);
  });

  it('are waited for where none are known yet, as long as the patience lasts', async () => {
    const cached = settingsCache(5_000, Date.now);
    assert.equal(await cached('k', answers(OUTAGE, OUTAGE, 'a'), { patienceMs: 60_000 }), 'a');
    await assert.rejects(cached('other', answers(OUTAGE), { patienceMs: 0 }), OUTAGE);
  });
});

/** Answers in turn; asked once too often it fails. */
function answers(...given: (string | TwinrankError)[]): () => Promise<string> {
  return () => {
    const next = given.shift() ?? new Error('Asked once too often.');
    return typeof next === 'string' ? Promise.resolve(next) : Promise.reject(next);
  };
}
