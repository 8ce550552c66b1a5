import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluationText } from '../../../src/cli/evaluation-text.js';
import { blendRanking, candidatesOf, reciprocalRankFusion } from '../../../src/evaluate/fusion.js';
import type { Candidate } from '../../../src/evaluate/fusion.js';
import { metricNamed } from '../../../src/evaluate/metrics.js';
import { ordersReport } from '../../../src/evaluate/orders-report.js';
import { REPORT_DEFAULTS, reportOf } from '../../../src/evaluate/report.js';
import type { QueryResult } from '../../../src/evaluate/run-evaluation.js';
import { BLEND_WEIGHTS, tuneBlend } from '../../../src/evaluate/tune-blend.js';

const metric = metricNamed('MRR@10');
const options = { ...REPORT_DEFAULTS, resamples: 500, seed: 1 };

/** A query whose one relevant document is `relevant`; the hits are in the engine's order. */
function result(
  id: string,
  relevant: string,
  hits: readonly (readonly [string, number, number?])[],
): QueryResult {
  const candidates: Candidate[] = hits.map(([name, engineScore, logOdds]) => ({
    id: name,
    engineScore,
    logOdds,
  }));
  const ranking = candidates.map(({ id: name }) => name);
  const side = { ranking, hits: [], milliseconds: 1 };
  return {
    query: { id, text: id },
    judgments: new Map([[relevant, 1]]),
    engine: side,
    proxy: { ...side, ranking: blendRanking(candidates, 0) },
    outcome: 'applied; window=100; scored=3',
    candidates,
    excluded: new Set(),
  };
}

describe('orders computed from the scores', () => {
  it('are those of the proxy, with hits that have no probability last', () => {
    const candidates = candidatesOf(
      [],
      [
        { id: 'c', score: 0.9, engineScore: 1, logOdds: 3 },
        { id: 'a', score: 0.5, engineScore: 7, logOdds: 0 },
        { id: 'x', score: 0, engineScore: 9 },
        { id: 'b', score: 0.4, engineScore: 4, logOdds: -1 },
      ],
    );
    assert.deepEqual(
      candidates.map(({ id }) => id),
      ['x', 'a', 'b', 'c'],
    );
    assert.deepEqual(blendRanking(candidates, 0), ['c', 'a', 'b', 'x']);
    assert.deepEqual(blendRanking(candidates, 1), ['a', 'b', 'c', 'x']);
  });

  it("are the engine's where the proxy shows no scores", () => {
    const hits = [
      { id: 'b', score: 2 },
      { id: 'a', score: 1 },
    ];
    for (const weight of [0, 0.5, 1])
      assert.deepEqual(blendRanking(candidatesOf(hits, hits), weight), ['b', 'a']);
  });

  it('rank fusion adds 1 / (k + rank) of both orders', () => {
    const candidates = [
      { id: 'a', engineScore: 9, logOdds: 0 },
      { id: 'b', engineScore: 8, logOdds: 2 },
      { id: 'c', engineScore: 7, logOdds: 1 },
      { id: 'd', engineScore: 6, logOdds: undefined },
    ];
    // k 1: a 1/2 + 1/4, b 1/3 + 1/2, c 1/4 + 1/3, d 1/5
    assert.deepEqual(reciprocalRankFusion(candidates, 1), ['b', 'a', 'c', 'd']);
  });
});

describe('the blend', () => {
  // The engine is right in these, the model is not, and half of each is right in the middle.
  const engineRight = (i: number): QueryResult =>
    result(`e${i}`, 'a', [
      ['a', 9, -1],
      ['b', 1, 1],
    ]);
  const modelRight = (i: number): QueryResult =>
    result(`m${i}`, 'b', [
      ['a', 9, -1],
      ['b', 1, 1],
    ]);

  it('takes the weight that is best on the other folds, and measures it on the held-out queries alone', () => {
    // Two alike queries: whatever is held out, the other says that the engine (above .5) is right.
    const tuned = tuneBlend([engineRight(1), engineRight(2)], metric, { folds: 5, seed: 1 });
    assert.equal(tuned.foldWeights.length, 2);
    assert.deepEqual(tuned.heldOut, [1, 1]);
    assert.ok(tuned.weight >= 0.5 && tuned.weight <= 0.55);
    // Each query contradicts the other, so what one teaches is wrong for the other: no leak.
    const torn = tuneBlend([engineRight(1), modelRight(1)], metric, { folds: 2, seed: 1 });
    assert.deepEqual(torn.heldOut, [0.5, 0.5]);
  });

  it('prefers the smallest of equally good weights and shows the whole curve', () => {
    const tuned = tuneBlend([modelRight(1), modelRight(2), modelRight(3)], metric, { folds: 3, seed: 1 });
    assert.equal(tuned.weight, 0);
    assert.deepEqual(
      tuned.curve.map(({ weight }) => weight),
      BLEND_WEIGHTS,
    );
    assert.equal(tuned.curve[0]?.value, 1);
    assert.equal(tuned.curve.at(-1)?.value, 0.5);
  });
});

describe('the report of the orders', () => {
  // b is relevant: first for neither side alone, first for both together.
  const together = (i: number): QueryResult =>
    result(`t${i}`, 'b', [
      ['a', 10, -2],
      ['b', 9, 2],
      ['c', 1, 2.2],
    ]);
  const many = Array.from({ length: 40 }, (_, i) => together(i));

  it('recommends a blend that is above both', () => {
    const report = reportOf(
      { results: many, withoutRelevant: 0, unjudged: 0 },
      { ...options, deciding: metric },
    );
    const orders = report.orders;
    assert.ok(orders !== null);
    assert.equal(orders.engine, 0.5);
    assert.equal(orders.probability.value, 0.5);
    assert.equal(orders.blend_held_out.value, 1);
    assert.deepEqual(orders.blend_held_out.comparison.interval, { low: 0.5, high: 0.5 });
    assert.ok(orders.weight > 0 && orders.weight < 1);
    const text = evaluationText(report);
    assert.match(text, /cannot be told apart/);
    assert.match(text, new RegExp(`Recommended: blend ${orders.weight} `));
    assert.match(text, /reciprocal rank fusion, k 60/);
    // At .35 the blend puts b first: all of the gain.
    assert.equal(orders.auto.value, 1);
    assert.match(text, /--blend auto would give \+0\.5000 .* 100 % of the gain/);
    // One of three hits is judged.
    assert.match(text, /Nobody judged 67 % of the engine's and 67 % of twinrank's first ten hits/);
  });

  it('says where the probability alone is below the engine, and where no blend helps', () => {
    const results = Array.from({ length: 40 }, (_, i) =>
      result(`w${i}`, 'a', [
        ['a', 9, -1],
        ['b', 1, 1],
      ]),
    );
    const text = evaluationText(
      reportOf({ results, withoutRelevant: 0, unjudged: 0 }, { ...options, deciding: metric }),
    );
    assert.match(
      text,
      /The probability alone ranks below the engine here \(MRR@10 -0\.5000 \[-0\.5000, -0\.5000\]\)/,
    );
    assert.match(text, /No blend ranks above the engine/);
  });

  it('doubts what few queries say', () => {
    const report = reportOf({ results: many.slice(0, 3), withoutRelevant: 0, unjudged: 0 }, options);
    assert.match(report.advice.join(' '), /Only 3 queries/);
  });

  it('is left out where nothing was scored', () => {
    const results = many.map((one) => ({
      ...one,
      candidates: one.candidates.map((c) => ({ ...c, logOdds: undefined })),
    }));
    assert.equal(ordersReport(results, { ...options, metric }), null);
  });
});
