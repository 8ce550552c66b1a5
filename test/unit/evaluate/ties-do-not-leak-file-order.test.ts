import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom, shuffled } from '../../../src/evaluate/random.js';
import { equalToQuery, inHashOrder, rankingOf } from '../../../src/evaluate/ranking.js';

const hits = (scores: readonly (number | null)[]): { id: string; score: number | null }[] =>
  scores.map((score, i) => ({ id: `d${i}`, score }));

describe('a ranking', () => {
  it('keeps the order of hits with different scores', () => {
    assert.deepEqual(rankingOf(hits([3, 2, 1])), ['d0', 'd1', 'd2']);
    assert.deepEqual(rankingOf([]), []);
  });

  it('puts each run of equal scores in hash order, and nothing across runs', () => {
    const ranking = rankingOf(hits([9, 5, 5, 5, 5, 2, 5]));
    assert.equal(ranking[0], 'd0');
    assert.deepEqual(ranking.slice(1, 5), inHashOrder(['d1', 'd2', 'd3', 'd4']));
    assert.deepEqual(ranking.slice(5), ['d5', 'd6']);
  });

  it('is the same in whatever order tied hits came', () => {
    const random = createRandom(3);
    const tied = hits(Array.from({ length: 50 }, () => 1));
    const expected = rankingOf(tied);
    assert.notDeepEqual(
      expected,
      tied.map(({ id }) => id),
    );
    for (let turn = 0; turn < 20; turn++) assert.deepEqual(rankingOf(shuffled(tied, random)), expected);
  });

  it('keeps hits of the same probability in the order of the scores that the engine gave them', () => {
    const found = [5, 4, 3, 2].map((engineScore, i) => ({ id: `d${i}`, score: 0.5, engineScore }));
    assert.deepEqual(rankingOf(found), ['d0', 'd1', 'd2', 'd3']);
    const tied = found.map((hit) => ({ ...hit, engineScore: 1 }));
    assert.deepEqual(rankingOf(tied), inHashOrder(['d0', 'd1', 'd2', 'd3']));
  });

  it('leaves hits without a score alone', () => {
    assert.deepEqual(rankingOf(hits([null, null, null])), ['d0', 'd1', 'd2']);
  });
});

describe('candidates equal to the query', () => {
  it('are found whatever their case, width and blanks', () => {
    const found = equalToQuery(
      [
        { id: 'a', score: 1, text: ' What  is ＡＢＣ' },
        { id: 'b', score: 1, text: 'what is abcd' },
        { id: 'c', score: 1 },
      ],
      'what is abc',
    );
    assert.deepEqual(found, ['a']);
  });
});
