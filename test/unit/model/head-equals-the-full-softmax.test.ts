import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import { createHead, probability } from '../../../src/model/head.js';

function softmaxOfAll(weight: number[][], bias: number[], u: Float32Array, v: Float32Array): number {
  const features = [...u, ...v, ...u.map((value, i) => Math.abs(value - (v[i] ?? 0)))];
  const logits = weight.map((row, k) =>
    row.reduce((sum, w, i) => sum + w * (features[i] ?? 0), bias[k] ?? 0),
  );
  const exponentials = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  return (exponentials[1] ?? 0) / exponentials.reduce((a, b) => a + b, 0);
}

describe('head', () => {
  it('equals softmax(W [u; v; |u-v|] + b) for random weights and vectors', () => {
    const random = createRandom(7);
    for (let round = 0; round < 50; round++) {
      const dimensions = 1 + Math.floor(random() * 64);
      const row = () => Array.from({ length: 3 * dimensions }, () => random() * 6 - 3);
      const vector = () => Float32Array.from({ length: dimensions }, () => random() - 0.5);
      const [weight, bias] = [
        [row(), row()],
        [random(), random()],
      ];
      const query = vector();
      const scorer = createHead(weight, bias, dimensions).scorer(query);
      for (let passage = 0; passage < 5; passage++) {
        const v = vector();
        const got = probability(scorer.logOdds(v));
        assert.ok(Math.abs(got - softmaxOfAll(weight, bias, query, v)) < 1e-6);
      }
    }
  });

  it('turns any log-odds into a probability', () => {
    assert.equal(probability(0), 0.5);
    assert.equal(probability(Number.POSITIVE_INFINITY), 1);
    assert.equal(probability(Number.NEGATIVE_INFINITY), 0);
    assert.equal(probability(1000), 1);
    assert.equal(probability(-1000), 0);
  });

  it('refuses shapes that do not fit', () => {
    const row = [1, 2, 3];
    assert.throws(() => createHead([row], [0, 0], 1), { code: 'bad_bundle', message: /2 rows of 3 weights/ });
    assert.throws(() => createHead([row, row], [0], 1), { code: 'bad_bundle', message: /1 biases/ });
    assert.throws(() => createHead([row, row], [0, 0], 2), { code: 'bad_bundle' });
  });

  it('refuses vectors of other dimensions', () => {
    const head = createHead(
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      [0, 0],
      1,
    );
    assert.throws(() => head.scorer(new Float32Array(2)), /query vector has 2 dimensions/);
    assert.throws(
      () => head.scorer(new Float32Array(1)).logOdds(new Float32Array(3)),
      /passage vector has 3/,
    );
  });
});
