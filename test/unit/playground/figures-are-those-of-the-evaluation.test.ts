import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TwinrankError } from '../../../src/errors.js';
import { figuresOf, MAX_JUDGED_QUERIES, readJudgments } from '../../../src/playground/figures.js';
import { createFiguresThread } from '../../../src/playground/figures-thread.js';

const QUERIES = '{"_id":"q1","text":"red"}\n{"_id":"q2","text":"blue"}\nq3\tgreen\n{"_id":"q4","text":"x"}\n';
const QRELS = 'q1\ta\t1\nq1\tb\t0\nq2 0 c 1\nq3\tz\t0\n';

function side(...ids: readonly string[]): unknown {
  return { hits: ids.map((id, i) => ({ id, score: 10 - i })), milliseconds: 5, outcome: 'applied; scored=2' };
}

describe('judgments of the playground', () => {
  it('are read as the evaluation reads them, and what cannot be measured is counted', () => {
    const read = readJudgments({ queries: QUERIES, qrels: QRELS });
    assert.deepEqual(read, {
      queries: [
        { id: 'q1', text: 'red', judgments: { a: 1, b: 0 } },
        { id: 'q2', text: 'blue', judgments: { c: 1 } },
      ],
      without_relevant: 1,
      unjudged: 1,
    });
  });

  it('are refused by line, when nothing is there, and when there are too many', () => {
    const refused = (body: unknown, words: RegExp): void => {
      assert.throws(
        () => readJudgments(body),
        (error: TwinrankError) => words.test(error.message),
      );
    };
    refused({ queries: QUERIES, qrels: 'q1\ta\t2\nnonsense\n' }, /^judgments:2: /);
    refused({ queries: 'nonsense', qrels: QRELS }, /^queries:1: /);
    refused({ qrels: QRELS }, /queries/);
    refused({ queries: QUERIES, qrels: 'other a 1\n' }, /ids agree/);
    const many = Array.from({ length: MAX_JUDGED_QUERIES + 1 }, (_, i) => i);
    refused(
      { queries: many.map((i) => `${i}\tt`).join('\n'), qrels: many.map((i) => `${i} d 1`).join('\n') },
      /twinrank eval/,
    );
  });
});

describe('figures of the playground', () => {
  const answers = {
    q1: { engine: side('b', 'a'), twinrank: side('a', 'b') },
    q2: { engine: side('c'), twinrank: side('d', 'c') },
  };

  it('are those of the rankings, by query and in the mean', async () => {
    const { report, per_query: perQuery } = await figuresOf({ queries: QUERIES, qrels: QRELS, answers });
    const half = 1 / Math.log2(3);
    assert.deepEqual(perQuery, [
      { id: 'q1', engine: { 'nDCG@10': half, 'MRR@10': 0.5 }, twinrank: { 'nDCG@10': 1, 'MRR@10': 1 } },
      { id: 'q2', engine: { 'nDCG@10': 1, 'MRR@10': 1 }, twinrank: { 'nDCG@10': half, 'MRR@10': 0.5 } },
    ]);
    const mrr = report.metrics.find(({ name }) => name === 'MRR@10');
    assert.equal(mrr?.engine, 0.75);
    assert.deepEqual([mrr?.wins, mrr?.losses, mrr?.ties], [1, 1, 0]);
    assert.equal(report.outcomes.applied, 2);
  });

  it('are refused where an answer is missing', async () => {
    const body = { queries: QUERIES, qrels: QRELS, answers: { q1: answers.q1 } };
    await assert.rejects(figuresOf(body), /no answer for the query "blue"/);
  });

  it('come out of the thread as they are, and errors as the caller shall read them', async () => {
    const reckon = createFiguresThread();
    const { signal } = new AbortController();
    const body = { queries: QUERIES, qrels: QRELS, answers };
    const [first, second] = await Promise.all([
      reckon({ kind: 'figures', body: JSON.stringify(body) }, signal),
      reckon({ kind: 'judgments', body: JSON.stringify(body) }, signal),
    ]);
    assert.deepEqual(JSON.parse(first), JSON.parse(JSON.stringify(await figuresOf(body))));
    assert.deepEqual(JSON.parse(second), readJudgments(body));
    await assert.rejects(reckon({ kind: 'figures', body: '{' }, signal), { code: 'bad_request' });
    await assert.rejects(reckon({ kind: 'judgments', body: '{}' }, signal), { code: 'bad_request' });
    const left = AbortSignal.abort();
    await assert.rejects(reckon({ kind: 'figures', body: '{}' }, left));
    const full = Array.from({ length: 9 }, () => reckon({ kind: 'judgments', body: '{}' }, signal));
    const ended = await Promise.allSettled(full);
    assert.equal((ended.at(-1) as PromiseRejectedResult).reason.code, 'overloaded');
  });
});
