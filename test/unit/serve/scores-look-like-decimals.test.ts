/** Clients take a number's kind from its looks, so a score always has a decimal point. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import { createHead } from '../../../src/model/head.js';
import { decimal, vectorJson } from '../../../src/serve/numbers.js';
import { servedFixture } from './fixtures.js';

describe('a decimal', () => {
  for (const [value, text] of [
    [1, '1.0'],
    [0, '0.0'],
    [0.5, '0.5'],
    [1e-7, '1.0e-7'],
    [1.5e-7, '1.5e-7'],
    [5e-324, '5.0e-324'],
    [-12, '-12.0'],
    [0.1 + 0.2, '0.3'],
    [0.8982721362886116, '0.8982721362886116'],
    [0.01957059014530457, '0.0195705901453046'],
    [-1.4318567635300594, '-1.431856763530059'],
    [1.2345678901234567e-12, '1.234567890123e-12'],
    [1e21, '1.0e+21'],
  ] as const) {
    it(`${value} is written ${text}`, () => {
      assert.equal(decimal(value), text);
      const read = JSON.parse(decimal(value)) as number;
      assert.ok(Math.abs(read - value) <= 1e-15 * Math.max(1, Math.abs(value)));
    });
  }

  it('is never longer than the 18 characters that json-smart reads as a double, and keeps the order', () => {
    const random = createRandom(7);
    const scores = Array.from({ length: 5000 }, () => 10 ** (-20 * random() ** 3) * random()).sort(
      (a, b) => a - b,
    );
    const texts = scores.map(decimal);
    assert.deepEqual(
      texts.filter((text) => text.length > 18 || !text.includes('.')),
      [],
    );
    const read = texts.map(Number);
    assert.ok(read.every((score, i) => i === 0 || score >= (read[i - 1] as number)));
  });

  it('is no place for what is no number', () => {
    assert.throws(() => decimal(Number.NaN), /bug/);
  });
});

describe('a vector in JSON', () => {
  it('reads back as the same 32-bit floats', () => {
    const vector = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i) * 10 ** ((i % 60) - 40));
    assert.deepEqual(Float32Array.from(JSON.parse(vectorJson(vector)) as number[]), vector);
  });

  it('is no place for what is no number', () => {
    assert.throws(() => vectorJson(Float32Array.of(1, Number.POSITIVE_INFINITY)), { code: 'encode_failed' });
  });
});

describe('scores at both ends', () => {
  // So steep that the probabilities are 1 and 0.
  const head = createHead(
    [
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, -2000, -2000],
    ],
    [0, 1000],
    2,
  );
  const served = servedFixture({ head });

  it('are 1.0 and 0.0 in every shape', async () => {
    for (const path of ['/v1/rerank', '/v2/rerank']) {
      const { text } = await served.post(path, { query: '0', documents: ['0', '3'] });
      assert.match(text, /\[\{"index":0,"relevance_score":1\.0\},\{"index":1,"relevance_score":0\.0\}\]/);
    }
    const { text } = await served.post('/rerank', { query: '0', texts: ['0', '3'] });
    assert.equal(text, '[{"index":0,"score":1.0},{"index":1,"score":0.0}]');
  });
});
