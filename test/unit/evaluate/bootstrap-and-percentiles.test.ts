import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom, shuffled } from '../../../src/evaluate/random.js';
import {
  compare,
  mean,
  pairedBootstrap,
  percentile,
  randomisationTest,
} from '../../../src/evaluate/statistics.js';

const options = { resamples: 10_000, seed: 1 };

describe('paired bootstrap', () => {
  it('of a constant difference is that constant', () => {
    const { low, high } = pairedBootstrap(
      Array.from({ length: 30 }, () => 0.25),
      options,
    );
    assert.equal(low, 0.25);
    assert.equal(high, 0.25);
  });

  it('agrees with the normal interval of many differences', () => {
    // 400 values, half 0 and half 1: the mean's standard error is 0.5 / sqrt(400) = 0.025.
    const { low, high } = pairedBootstrap(
      Array.from({ length: 400 }, (_, i) => i % 2),
      options,
    );
    assert.ok(Math.abs(low - (0.5 - 1.96 * 0.025)) < 0.004, String(low));
    assert.ok(Math.abs(high - (0.5 + 1.96 * 0.025)) < 0.004, String(high));
  });

  it('holds exactly the values that two queries can give', () => {
    // Means of two draws from {0, 1}: 0 with 1/4, 1/2 with 1/2, 1 with 1/4.
    assert.deepEqual(pairedBootstrap([0, 1], options), { low: 0, high: 1 });
  });

  it('comes out the same for the same seed', () => {
    const differences = [0.1, -0.2, 0.4, 0.05, 0];
    assert.deepEqual(pairedBootstrap(differences, options), pairedBootstrap(differences, options));
    assert.deepEqual(pairedBootstrap([], options), { low: 0, high: 0 });
  });
});

describe('percentiles and means', () => {
  it('are by nearest rank', () => {
    const values = [15, 20, 35, 40, 50];
    assert.deepEqual(
      [0.05, 0.3, 0.4, 0.5, 1].map((share) => percentile(values, share)),
      [15, 20, 20, 35, 50],
    );
    assert.equal(percentile([7], 0.95), 7);
    assert.ok(Number.isNaN(percentile([], 0.5)));
    assert.equal(mean([1, 2, 6]), 3);
    assert.equal(mean([]), 0);
  });
});

describe('seeded random numbers', () => {
  it('are uniform enough, repeatable, and shuffle without loss', () => {
    const random = createRandom(42);
    const values = Array.from({ length: 20_000 }, () => random());
    assert.ok(values.every((value) => value >= 0 && value < 1));
    assert.ok(Math.abs(mean(values) - 0.5) < 0.01);
    const items = Array.from({ length: 100 }, (_, i) => i);
    const mixed = shuffled(items, createRandom(1));
    assert.notDeepEqual(mixed, items);
    assert.deepEqual(
      [...mixed].sort((a, b) => a - b),
      items,
    );
    assert.deepEqual(mixed, shuffled(items, createRandom(1)));
  });
});

describe('the randomisation test', () => {
  it('gives the share of signs that are as extreme, by hand', () => {
    // Of the 8 signs of 1, 1, 1 only +++ and --- reach a sum of 3: 1/4. Of 1, 1, -1 all reach 1.
    assert.ok(Math.abs(randomisationTest([1, 1, 1], options) - 0.25) < 0.02);
    assert.equal(randomisationTest([1, 1, -1], options), 1);
    assert.equal(randomisationTest([0, 0], options), 1);
    assert.equal(randomisationTest([], options), 1);
  });

  it('is never 0, and does not care which side is which', () => {
    const differences = Array.from({ length: 60 }, (_, i) => 0.1 + i / 1000);
    assert.equal(randomisationTest(differences, options), 1 / 10_001);
    assert.equal(
      randomisationTest(
        differences.map((d) => -d),
        options,
      ),
      1 / 10_001,
    );
  });
});

describe('a comparison', () => {
  it('counts wins, losses and ties by query', () => {
    const { difference, wins, losses, ties } = compare([0.5, -0.25, 0, 1e-15], options);
    assert.deepEqual({ wins, losses, ties }, { wins: 1, losses: 1, ties: 2 });
    assert.ok(Math.abs(difference - 0.0625) < 1e-12);
  });
});
