/** `twinrank eval` on the help centre: real engine, sidecar and proxy; computed orders are those that the proxy gives. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../scripts/project-root.js';
import { evalCommand } from '../../src/cli/commands/eval.js';
import { loadCommand } from '../../src/cli/commands/load.js';
import type { EvaluationReport } from '../../src/evaluate/report.js';
import { runCommand, type Ran } from './support/captured-io.js';
import { engineFixture } from './support/engine.js';
import { startStack, type Stack } from './support/stack.js';

const HELP_CENTRE = join(PROJECT_ROOT, 'examples', 'help-centre');
const engine = engineFixture();
const index = engine.index('eval-orders');
let stack: Stack;
let folder = '';

before(async () => {
  stack = await startStack(engine.url);
  folder = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
  await mkdir(join(folder, 'qrels'));
  await cp(join(HELP_CENTRE, 'queries.jsonl'), join(folder, 'queries.jsonl'));
  await cp(join(HELP_CENTRE, 'qrels.tsv'), join(folder, 'qrels', 'test.tsv'));
  await engine.call('PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { title: { type: 'text', analyzer: 'cjk' } } },
  });
  await stack.setUp(index);
  await runCommand(loadCommand, { to: stack.sidecar, index }, [join(HELP_CENTRE, 'corpus.jsonl')]);
  await engine.call('POST', `/${index}/_refresh`);
});
after(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

function evaluate(more: Record<string, unknown> = {}): Promise<Ran> {
  const flags = { engine: engine.url, proxy: stack.proxy, index, beir: folder, 'warm-up': '2' };
  return runCommand(evalCommand, { ...flags, ...more });
}

async function report(more: Record<string, unknown> = {}): Promise<EvaluationReport> {
  return JSON.parse((await evaluate({ json: 'true', ...more })).stdout) as EvaluationReport;
}

describe('twinrank eval on the help centre', () => {
  it('computes the orders that the proxy gives', async () => {
    const found = await report();
    const asked = found.metrics.find(({ name }) => name === 'nDCG@10');
    assert.equal(found.queries, 64);
    assert.ok(found.orders !== null && asked !== undefined);
    assert.equal(found.orders.scored_queries, 64);
    assert.ok(Math.abs(found.orders.engine - asked.engine) < 1e-9);
    assert.ok(Math.abs(found.orders.probability.value - asked.twinrank) < 1e-9);
    assert.ok(asked.p < 0.001 && asked.wins > asked.losses);
    assert.equal(asked.wins + asked.losses + asked.ties, 64);
  });

  it('writes the weight that it recommends, and the proxy then ranks by it', async () => {
    const { stdout, stderr, code } = await evaluate({ json: 'true', 'write-blend': 'true' });
    assert.equal(code, 0);
    const { orders } = JSON.parse(stdout) as EvaluationReport;
    assert.match(stderr, new RegExp(`The blend ${orders?.weight} is written into ${index}`));
    const meta = JSON.stringify(await engine.call('GET', `/${index}/_mapping`));
    assert.match(meta, new RegExp(`"blend":${orders?.weight}\\b`));
    const again = await report();
    const best = orders?.curve.find(({ weight }) => weight === orders.weight);
    const asked = again.metrics.find(({ name }) => name === 'nDCG@10');
    assert.ok(best !== undefined && Math.abs(best.value - (asked?.twinrank ?? 0)) < 1e-9);
  });

  it('does not write a weight that held-out queries speak against', async () => {
    // Only what the engine has first is held to be relevant, so no other order can be above it.
    const wrong = join(folder, 'qrels', 'wrong.tsv');
    const lines: string[] = [];
    for (const [id, text] of [
      ['q-en-01', "can't get into my account because I no longer know the password"],
      ['q-en-02', 'my order was cancelled yesterday, how many days until my bank has the refund'],
    ]) {
      const query = { query: { match: { title: text } }, size: 1, _source: false };
      const answer = await engine.call('POST', `/${index}/_search`, query);
      const [first] = (answer as { hits: { hits: { _id: string }[] } }).hits.hits;
      lines.push(`${id}\t${first?._id}\t1\n`);
    }
    await writeFile(wrong, lines.join(''));
    const { stderr, stdout } = await evaluate({ split: 'wrong', 'write-blend': 'true' });
    assert.match(stderr, /The blend is not written/);
    assert.match(stdout, /Only 2 queries/);
  });

  it('fails below a bar and names it, and passes above', async () => {
    const passed = await evaluate({ 'fail-below': ['nDCG@10=0.5', 'MRR@10=0.5'], 'fail-if-worse': 'true' });
    assert.equal(passed.code, 0);
    const failed = await evaluate({ 'fail-below': ['nDCG@10=0.5', 'P@5=0.99'] });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /Below the bar: P@5 is 0\.\d{4}, the bar is 0\.99 \(--fail-below\)\./);
    assert.ok(!failed.stderr.includes('nDCG@10 is'));
  });

  it('measures at the cut-offs that are asked for', async () => {
    const names = (await report({ at: '5,100' })).metrics.map(({ name }) => name);
    assert.equal(names.length, 22);
    assert.ok(names.includes('judged-only MAP@100'));
  });

  it('writes an HTML file with the titles of the hits', async () => {
    const file = join(folder, 'report.html');
    await evaluate({ html: file });
    const page = await readFile(file, 'utf8');
    assert.match(page, /Where twinrank is better/);
    const shown = [...page.matchAll(/<td title="((?:en|zh)-\d+)">([^<]+)</g)];
    assert.ok(shown.length >= 10 && shown.every(([, id, title]) => title !== id));
    await assert.rejects(
      evaluate({ html: join(folder, 'no', 'folder.html') }),
      /--html: .* cannot be written/,
    );
  });

  it('warns of judged documents that the index does not have, and refuses where it has none', async () => {
    await writeFile(join(folder, 'qrels', 'partly.tsv'), 'q-en-01\ten-018\t1\nq-en-01\tgone\t1\n');
    const { stderr } = await evaluate({ split: 'partly' });
    assert.match(stderr, /Warning: .*partly\.tsv: 1 of 2 judged documents are not in .* \("gone"\)/);
    await writeFile(join(folder, 'qrels', 'gone.tsv'), 'q-en-01\tgone\t1\n');
    await assert.rejects(
      evaluate({ split: 'gone' }),
      /gone\.tsv: none of its 1 judged documents is in .*agree with the index/,
    );
    await assert.rejects(evaluate({ queries: 'x' }), /either --beir, or/);
    await assert.rejects(evaluate({ split: 'train' }), /has no qrels\/train\.tsv; say --split/);
  });
});
