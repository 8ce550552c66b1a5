import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIST_STRENGTHS, listProblem } from '../../../src/evaluate/head/list-problem.js';
import { PAIR_STRENGTHS, pairProblem, type NumberedPairs } from '../../../src/evaluate/head/pair-problem.js';
import { trainHead, type TrainedHead } from '../../../src/evaluate/head/train-head.js';
import { createRandom } from '../../../src/evaluate/random.js';
import { l1, never, randomTable, syntheticPairs } from './fixtures.js';

const DIMENSIONS = 16;
const OPTIONS = { cores: 1, seed: 1, force: false, signal: never };

function learn(pairs: NumberedPairs, more: { force?: boolean } = {}, most?: number): Promise<TrainedHead> {
  const problem = pairProblem(pairs, { folds: 5, seed: 1 }, most);
  return trainHead(problem, { ...OPTIONS, tried: PAIR_STRENGTHS, ...more });
}

const part = (weights: Float64Array, index: number) => [
  ...weights.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS),
];

describe('training from pairs', () => {
  it('finds what a text itself says of the label', async () => {
    const { weights, report } = await learn(
      syntheticPairs(3_000, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v) + 8 * (u[2] as number)),
    );
    assert.equal(report.verdict, 'head');
    const ofQuery = part(weights, 0);
    assert.equal(ofQuery.indexOf(Math.max(...ofQuery)), 2);
    assert.ok(Math.abs((ofQuery[2] as number) - 8) < 3, `${ofQuery[2]}`);
    for (const weight of part(weights, 2)) assert.ok(Math.abs(weight + 3) < 1, `${weight}`);
    const loss = report.measures.find(({ name }) => name === 'log loss');
    assert.ok((loss?.over_anchor?.interval.high ?? 0) < 0);
  });

  it('writes the plain distance, calibrated, where there is no more to find', async () => {
    const { weights, report } = await learn(syntheticPairs(1_500, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v)));
    assert.equal(report.verdict, 'anchor');
    assert.ok([...part(weights, 0), ...part(weights, 1)].every((weight) => weight === 0));
    const distances = part(weights, 2);
    assert.ok(Math.max(...distances) - Math.min(...distances) < 1e-9, 'one weight for all distances');
    assert.ok(Math.abs((distances[0] as number) + 3) < 0.7, `${distances[0]}`);
    assert.ok(Math.abs((weights.at(-1) as number) - 6) < 1.5, `${weights.at(-1)}`);
  });

  it('writes the learned head by force', async () => {
    const { weights, report } = await learn(
      syntheticPairs(1_500, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v)),
      { force: true },
    );
    assert.equal(report.verdict, 'head by force');
    assert.ok(part(weights, 0).some((weight) => weight !== 0));
  });

  it('gives probabilities that come true', async () => {
    const { report } = await learn(syntheticPairs(3_000, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v)));
    const { after } = report.calibration;
    assert.ok(after.brier < after.base_rate_brier);
    for (const { count, predicted, observed } of after.reliability)
      if (count > 100) assert.ok(Math.abs(predicted - observed) < 0.12, `${predicted} and ${observed}`);
  });

  it('chooses by a sample of a large set and learns from all of it', async () => {
    const { report } = await learn(
      syntheticPairs(3_000, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v) + 8 * (u[2] as number)),
      {},
      1_000,
    );
    assert.equal(report.cross_validated_on, 1_000);
    assert.equal(report.examples['pairs'], 3_000);
    assert.equal(report.verdict, 'head');
  });

  it('refuses labels that the texts contradict', async () => {
    const pairs = syntheticPairs(1_000, DIMENSIONS, (u, v) => 6 - 3 * l1(u, v));
    const turned = { ...pairs, labels: pairs.labels.map((label) => 1 - label) };
    await assert.rejects(learn(turned), { code: 'bad_input_file', message: /Check that label 1 means/ });
  });
});

describe('training from judged queries', () => {
  /** Lists of 12 documents; the two that are nearest by `distance` are relevant, the last two nobody judged. */
  function lists(queries: number, distance: (u: Float32Array, v: Float32Array) => number) {
    const size = 12;
    const vectors = randomTable(queries * (size + 1), DIMENSIONS, createRandom(5));
    const at = (place: number) => vectors.values.subarray(place * DIMENSIONS, (place + 1) * DIMENSIONS);
    const left: number[] = [];
    const right: number[] = [];
    const grades: number[] = [];
    for (let query = 0; query < queries; query++) {
      const own = query * (size + 1);
      const places = Array.from({ length: size }, (_, i) => own + 1 + i);
      const near = [...places]
        .sort((a, b) => distance(at(own), at(a)) - distance(at(own), at(b)))
        .slice(0, 2);
      for (const [i, place] of places.entries()) {
        left.push(own);
        right.push(place);
        grades.push(near.includes(place) ? 1 : i >= size - 2 ? -1 : 0);
      }
    }
    const starts = Int32Array.from({ length: queries + 1 }, (_, i) => i * size);
    const ints = (values: number[]) => Int32Array.from(values);
    const numbers = Int32Array.from({ length: queries }, (_, query) => query);
    return { vectors, left: ints(left), right: ints(right), grades: ints(grades), starts, queries: numbers };
  }

  /** With the last documents of each query once more as what the engine found, where a relevant one is among them. */
  function withHits({ vectors, starts, queries, ...rows }: ReturnType<typeof lists>) {
    const size = 8;
    const found = [...queries].filter((query) => {
      const end = starts[query + 1] ?? 0;
      return rows.grades.subarray(end - size, end).includes(1);
    });
    const again = (values: Int32Array) =>
      Int32Array.from([
        ...values,
        ...found.flatMap((query) => [...values.subarray((starts[query + 1] ?? 0) - size, starts[query + 1])]),
      ]);
    const end = starts.at(-1) ?? 0;
    return {
      vectors,
      left: again(rows.left),
      right: again(rows.right),
      grades: again(rows.grades),
      starts: Int32Array.from([...starts, ...found.map((_, i) => end + (i + 1) * size)]),
      queries: Int32Array.from([...queries, ...found]),
    };
  }

  it('finds the distances that count', async () => {
    const half = (u: Float32Array, v: Float32Array) => l1(u.subarray(0, 8), v.subarray(0, 8));
    const problem = listProblem(lists(200, half), { folds: 5, seed: 1, relevantFrom: 1 });
    const { weights, report } = await trainHead(problem, { ...OPTIONS, tried: LIST_STRENGTHS });
    assert.equal(report.verdict, 'head');
    const [, ndcg] = report.measures;
    assert.ok(
      (ndcg?.head ?? 0) > 0.85 && (ndcg?.head ?? 0) > (ndcg?.anchor ?? 1) + 0.05,
      JSON.stringify(ndcg),
    );
    const distances = part(weights, 2);
    assert.ok(Math.max(...distances.slice(0, 8)) < Math.min(...distances.slice(8)));
    assert.ok(
      part(weights, 0).every((weight) => weight === 0),
      'u is the same for all of a query',
    );
  });

  it('looks at the order of the hits too, those that nobody judged counting as not relevant', async () => {
    const half = (u: Float32Array, v: Float32Array) => l1(u.subarray(0, 8), v.subarray(0, 8));
    const alone = lists(200, half);
    const both = withHits(alone);
    const problem = listProblem(both, { folds: 5, seed: 1, relevantFrom: 1 });
    assert.equal(problem.examples['queries'], 200);
    const { judged, measures } = listProblem(alone, { folds: 5, seed: 1, relevantFrom: 1 });
    assert.deepEqual(problem.judged, judged, 'a judged hit gives no second ground for a probability');
    const { report } = await trainHead(problem, { ...OPTIONS, tried: LIST_STRENGTHS });
    const [, , hits] = report.measures;
    assert.equal(hits?.name, 'nDCG@10 of hits');
    assert.ok(hits.head > hits.anchor, JSON.stringify(hits));
    assert.deepEqual(
      measures.map(({ name }) => name),
      ['list loss', 'judged-only nDCG@10', 'AUC of judged'],
    );
  });

  it('takes no probability from hits that nobody judged', () => {
    const problem = listProblem(lists(40, l1), { folds: 5, seed: 1, relevantFrom: 1 });
    assert.equal(problem.examples['from_hits'], problem.rows.left.length - problem.judged.length);
    assert.ok((problem.examples['from_hits'] ?? 0) > 0);
  });
});
