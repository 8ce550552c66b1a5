/** `twinrank eval` against the real engine on both sides: no reranking, so every difference must be zero. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { evalCommand } from '../../src/cli/commands/eval.js';
import type { EvaluationReport } from '../../src/evaluate/report.js';
import { runCommand } from './support/captured-io.js';
import { engineFixture } from './support/engine.js';

const engine = engineFixture();
let folder = '';
let flags: Record<string, string> = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
  const index = engine.index('eval');
  await engine.call('PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { title: { type: 'text' }, note: { type: 'text' } } },
  });
  const titles = ['red apple', 'green apple', 'red car', 'blue car', 'red red apple'];
  const bulk = titles.map(
    (title, i) => `{"index":{"_id":"d${i}"}}\n${JSON.stringify({ title, note: 'shared' })}\n`,
  );
  await engine.call('POST', `/${index}/_bulk?refresh=true`, bulk.join(''));
  await writeFile(
    join(folder, 'queries.jsonl'),
    '{"_id":"q1","text":"red apple"}\n{"_id":"q2","text":"blue car"}\n{"_id":"q3","text":"x"}\n',
  );
  await writeFile(
    join(folder, 'qrels.tsv'),
    'query-id\tcorpus-id\tscore\nq1\td0\t2\nq1\td4\t1\nq2\td3\t1\nq2\td2\t0\n',
  );
  flags = {
    engine: engine.url,
    proxy: engine.url,
    index,
    queries: join(folder, 'queries.jsonl'),
    qrels: join(folder, 'qrels.tsv'),
  };
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

async function report(
  more: Record<string, string> = {},
): Promise<EvaluationReport & { readonly exit: number }> {
  const { code, stdout } = await runCommand(evalCommand, { ...flags, json: 'true', ...more });
  return { ...(JSON.parse(stdout) as EvaluationReport), exit: code };
}

describe('twinrank eval', () => {
  it('measures both sides alike where nothing is reranked, and fails because of that', async () => {
    const found = await report();
    assert.equal(found.exit, 1);
    assert.equal(found.queries, 2);
    assert.equal(found.unjudged, 1);
    assert.deepEqual(found.outcomes, { applied: 0, scored: null, skipped: { 'no x-twinrank header': 2 } });
    for (const metric of found.metrics) {
      assert.equal(metric.difference, 0, metric.name);
      assert.deepEqual(metric.interval, { low: 0, high: 0 });
    }
    assert.equal(found.metrics.find(({ name }) => name === 'Recall@100')?.engine, 1);
    assert.ok(found.latency_ms.engine.p50 > 0);
  });

  it('leaves out hits that equal the query, with their judgments', async () => {
    const found = await report({ 'exclude-equal': 'title' });
    // q2's only relevant document is "blue car" itself.
    assert.equal(found.queries, 1);
    assert.equal(found.without_relevant, 1);
    assert.equal(found.metrics.find(({ name }) => name === 'MRR@10')?.engine, 1);
  });

  it('searches several fields, or with a body of the user, and prints a table', async () => {
    assert.equal((await report({ fields: 'title,note^0.5' })).queries, 2);
    const template = join(folder, 'body.json');
    await writeFile(template, '{"query":{"bool":{"must":[{"match":{"title":"{{query}}"}}]}},"size":10}');
    const { stdout } = await runCommand(evalCommand, { ...flags, 'body-template': template, limit: '1' });
    assert.match(stdout, /nDCG@10/);
    assert.match(stdout, /1 queries; reranked: 0 of 1/);
    assert.match(stdout, /The proxy reranked nothing/);
  });

  it('refuses flags that contradict, ids that do not agree, and an index that is missing', async () => {
    await assert.rejects(report({ field: 'title', fields: 'a,b' }), /Give one of --field, --fields/);
    await assert.rejects(report({ index: 'no-such-index-here' }), /status 404.*no such index/s);
    const other = join(folder, 'other.tsv');
    await writeFile(other, 'z\td0\t1\n');
    await assert.rejects(report({ qrels: other }), /do their ids agree/);
    await assert.rejects(report({ engine: 'http://user:secret@127.0.0.1:1' }), (error: Error) => {
      assert.match(error.message, /http:\/\/127\.0\.0\.1:1 cannot be reached/);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  });
});
