import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluationText } from '../../../src/cli/evaluation-text.js';
import { outcomesOf, REPORT_DEFAULTS, reportOf } from '../../../src/evaluate/report.js';
import { runEvaluation } from '../../../src/evaluate/run-evaluation.js';
import type { EvaluationRun } from '../../../src/evaluate/run-evaluation.js';
import type { Hit } from '../../../src/evaluate/ranking.js';
import type { Searcher } from '../../../src/evaluate/search-http.js';

const qrels = new Map([
  [
    'q1',
    new Map([
      ['a', 1],
      ['b', 0],
    ]),
  ],
  [
    'q2',
    new Map([
      ['a', 0],
      ['b', 2],
      ['same', 2],
    ]),
  ],
  ['none', new Map([['a', 0]])],
  ['only-same', new Map([['same', 1]])],
]);
const queries = [
  { id: 'q1', text: 'one' },
  { id: 'q2', text: 'two' },
  { id: 'none', text: 'none' },
  { id: 'only-same', text: 'two' },
  { id: 'unjudged', text: 'other' },
];

/** A search that always gives these ids, and keeps a diary. */
function searcher(name: string, ids: readonly string[], diary: string[], outcome: string | null): Searcher {
  const hits: Hit[] = ids.map((id, i) => ({ id, score: 10 - i, text: id === 'same' ? 'TWO' : id }));
  return {
    search: (body) => {
      diary.push(`${name} ${body}`);
      return Promise.resolve({ hits, milliseconds: name === 'engine' ? 2 : 5, outcome });
    },
    close: () => undefined,
  };
}

async function run(seed = 1, warmUp = 1): Promise<{ run: EvaluationRun; diary: string[] }> {
  const diary: string[] = [];
  const deps = {
    engine: searcher('engine', ['same', 'a', 'b'], diary, null),
    proxy: searcher('proxy', ['same', 'b', 'a'], diary, 'applied; window=100; scored=3; encode=1.0ms'),
    bodyOf: (text: string) => text,
  };
  const options = { seed, warmUp, excludeEqual: true };
  return { run: await runEvaluation({ queries, qrels }, deps, options, new AbortController().signal), diary };
}

describe('an evaluation', () => {
  it('asks both sides each query once, after a warm-up, and the judged ones only', async () => {
    const { diary } = await run();
    assert.equal(diary.length, 2 * (1 + 3));
    assert.deepEqual(
      diary
        .slice(2)
        .filter((entry) => entry.endsWith('one'))
        .sort(),
      ['engine one', 'proxy one'],
    );
    assert.ok(!diary.some((entry) => entry.endsWith('none') || entry.endsWith('other')));
  });

  it('lets now the engine, now the proxy go first', async () => {
    const first = new Set<string>();
    for (let seed = 0; seed < 20; seed++) first.add((await run(seed, 0)).diary[0]?.split(' ')[0] ?? '');
    assert.deepEqual([...first].sort(), ['engine', 'proxy']);
  });

  it('leaves out candidates equal to the query, their judgments, and queries that have nothing else', async () => {
    const { run: result } = await run();
    const two = result.results.find(({ query }) => query.id === 'q2');
    assert.deepEqual(two?.engine.ranking, ['a', 'b']);
    assert.deepEqual(two?.proxy.ranking, ['b', 'a']);
    assert.equal(two?.judgments.has('same'), false);
    assert.equal(result.results.length, 2);
    assert.equal(result.withoutRelevant, 2);
    assert.equal(result.unjudged, 1);
  });

  it('is reported with differences, intervals, latencies and outcomes', async () => {
    const report = reportOf((await run()).run, { ...REPORT_DEFAULTS, resamples: 200, seed: 1 });
    const mrr = report.metrics.find(({ name }) => name === 'MRR@10');
    // q1: the engine has "same, a, b" (nothing to exclude), rank 2 against 3. q2: rank 2 against 1.
    assert.equal(mrr?.engine, (1 / 2 + 1 / 2) / 2);
    assert.equal(mrr?.twinrank, (1 / 3 + 1) / 2);
    assert.deepEqual(report.latency_ms, { engine: { p50: 2, p95: 2 }, twinrank: { p50: 5, p95: 5 } });
    assert.deepEqual(report.outcomes, { applied: 2, scored: 6, skipped: {} });
    assert.deepEqual([mrr?.wins, mrr?.losses, mrr?.ties], [1, 1, 0]);
    assert.equal(report.orders, null);
    const text = evaluationText(report);
    for (const expected of [
      'nDCG@10',
      'judged@10',
      'latency p95',
      'reranked: 2 of 2, 6 hits scored',
      '2 queries without',
      '1 queries that nobody',
      '1 / 1 / 0',
    ]) {
      assert.ok(text.includes(expected), `${expected} is not in\n${text}`);
    }
  });

  it('says so where the proxy reranked nothing', () => {
    assert.deepEqual(outcomesOf(['skipped; reason=not-configured', null, 'skipped; reason=not-configured']), {
      applied: 0,
      scored: null,
      skipped: { 'not-configured': 2, 'no x-twinrank header': 1 },
    });
    const report = reportOf(
      { results: [], withoutRelevant: 0, unjudged: 0 },
      { ...REPORT_DEFAULTS, resamples: 1, seed: 1 },
    );
    const text = evaluationText({
      ...report,
      queries: 3,
      outcomes: { applied: 0, scored: null, skipped: { deadline: 3 } },
    });
    assert.match(text, /Not reranked: 3 \(deadline\)/);
    assert.match(text, /reranked nothing/);
  });
});
