import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foldersAbove, shareOfAuto, shortfallsOfAll } from '../../../scripts/eval/all-bars.js';
import { rankingRow, type CollectionRow } from '../../../scripts/eval/ranking-row.js';
import { cosineRanking } from '../../../scripts/eval/window-cosines.js';
import { metricNamed } from '../../../src/evaluate/metrics.js';
import type { QueryResult } from '../../../src/evaluate/run-evaluation.js';

/** Four candidates in the engine's order; the document of grade 1 is the last, and the head's log-odds are given. */
function result(id: string, logOdds: readonly number[]): QueryResult {
  const ids = ['a', 'b', 'c', 'd'];
  const answered = { ranking: ids, hits: [], milliseconds: 1 };
  return {
    query: { id, text: id },
    judgments: new Map([
      ['d', 1],
      ['a', 0],
    ]),
    engine: answered,
    proxy: answered,
    outcome: 'applied',
    candidates: ids.map((doc, i) => ({ id: doc, engineScore: 4 - i, logOdds: logOdds[i] })),
    excluded: new Set(),
  };
}

const NAME = { title: 'T', folder: 'f', model: 'm' };
const NDCG = metricNamed('nDCG@10');
const GOOD = [0, 1, 2, 3];
const BAD = [3, 2, 1, 0];
const engineOrder = ({ engine: { ranking } }: QueryResult) => ranking;

function rowOf(logOdds: readonly number[], more: Partial<CollectionRow> = {}): CollectionRow {
  const results = Array.from({ length: 10 }, (_, i) => result(`q${i}`, logOdds));
  return { ...rankingRow(results, engineOrder, NDCG, NAME), ...more };
}

describe('a row of the table', () => {
  it('has the engine, cosine, head and blends of the same window', () => {
    const row = rowOf(GOOD);
    assert.equal(row.head.value, 1);
    assert.equal(row.engine, row.cosine.value);
    assert.ok((row.head.overEngine?.mean ?? 0) > 0.5);
    assert.equal(row.blends?.tuned.value, 1);
    assert.equal(row.judgedShare, 0.5);
    assert.ok(Math.abs(row.headOverCosine.mean - (row.head.overEngine?.mean ?? 0)) < 1e-12);
  });

  it('puts documents without a vector behind the others, and equal cosines in the order of the engine', () => {
    const vectors = new Map([
      ['b', Float32Array.of(0, 2)],
      ['c', Float32Array.of(1, 1)],
      ['d', Float32Array.of(2, 2)],
    ]);
    const { candidates } = result('q', GOOD);
    assert.deepEqual(cosineRanking(Float32Array.of(1, 0), candidates, vectors), ['c', 'd', 'b', 'a']);
  });
});

describe('the bars over all collections', () => {
  it('are cleared by a head that is above engine and cosine', () => {
    const rows = ['x', 'y', 'z'].map((folder) => rowOf(GOOD, { folder }));
    assert.deepEqual(shortfallsOfAll(rows), []);
    assert.deepEqual(foldersAbove(rows), ['x', 'y', 'z']);
    assert.ok((shareOfAuto(rows[0] as CollectionRow) ?? 0) > 0);
  });

  it('name a head that is below cosine', () => {
    const [first = ''] = shortfallsOfAll([
      rowOf(GOOD, { headOverCosine: { mean: -0.1, interval: { low: -0.2, high: -0.05 } } }),
    ]);
    assert.match(first, /T \(nDCG@10\): the head is below cosine/);
  });

  it('name an automatic blend that is below the engine', () => {
    const { blends, ...row } = rowOf(GOOD);
    assert.ok(blends !== null);
    const auto = { value: 0, overEngine: { mean: -0.1, interval: { low: -0.2, high: -0.05 } } };
    const short = shortfallsOfAll([{ ...row, blends: { ...blends, auto } }]);
    assert.match(short.join('\n'), /blend auto is below the engine/);
  });

  it('count a collection once, whatever the fields that are searched', () => {
    const rows = [rowOf(GOOD, { folder: 'x' }), rowOf(GOOD, { folder: 'x' }), rowOf(BAD, { folder: 'y' })];
    assert.match(shortfallsOfAll(rows).join('\n'), /above the engine on 1 collections, wanted are 2/);
  });
});
