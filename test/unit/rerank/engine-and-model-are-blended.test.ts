/** The blend's two ends are the two orders, and its scores stay on the scale of the log-odds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUTO_BLEND, blendedLogOdds, blendWeight, orderByScore } from '../../../src/model/blend.js';
import { kendallTau } from '../../../src/rerank/rank-correlation.js';

describe('the blend', () => {
  const logOdds = [1, -2, undefined, 3, 0];
  const engine = [9, 8, 7, 6, 5];

  it('is the model alone at 0', () => {
    assert.equal(blendedLogOdds(logOdds, engine, 0), logOdds);
  });

  it("is the engine's order at 1, unscored hits last", () => {
    assert.deepEqual(orderByScore(blendedLogOdds(logOdds, engine, 1)), [0, 1, 3, 4, 2]);
  });

  it('is by hand what the formula says', () => {
    // Log-odds 1 and 3: mean 2, spread 1. Scores 10 and 20: mean 15, spread 5, so standard -1 and 1.
    assert.deepEqual(blendedLogOdds([1, 3], [20, 10], 0.25), [0.75 * 1 + 0.25 * 3, 0.75 * 3 + 0.25 * 1]);
  });

  it('has one weight that needs no judgments', () => {
    assert.equal(blendWeight('auto'), AUTO_BLEND);
    assert.equal(blendWeight(0), 0);
    assert.ok(AUTO_BLEND > 0 && AUTO_BLEND < 0.5);
  });

  it('does not depend on the scale of the engine', () => {
    const once = blendedLogOdds(logOdds, engine, 0.3);
    const scaled = blendedLogOdds(
      logOdds,
      engine.map((score) => 1000 * score - 7),
      0.3,
    );
    once.forEach((value, i) =>
      assert.ok(value === scaled[i] || Math.abs((value ?? 0) - (scaled[i] ?? 1)) < 1e-9),
    );
  });

  it('takes a missing score as average, and equal scores as no opinion', () => {
    assert.deepEqual(blendedLogOdds([1, 3], [5, 5], 0.5), [1.5, 2.5]);
    assert.deepEqual(blendedLogOdds([1, 3], [undefined, undefined], 0.5), [1.5, 2.5]);
    assert.deepEqual(blendedLogOdds([], [], 0.5), []);
    assert.deepEqual(blendedLogOdds([undefined], [1], 0.5), [undefined]);
  });
});

describe("Kendall's tau", () => {
  it('is 1 for the same order, -1 for its reverse, and by hand in between', () => {
    assert.equal(kendallTau([0, 1, 2, 3]), 1);
    assert.equal(kendallTau([3, 2, 1, 0]), -1);
    assert.equal(kendallTau([1, 0, 2]), 1 / 3);
    assert.equal(kendallTau([0]), 1);
  });
});
