/** `twinrank head train` on judged queries, with negatives from the real engine. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../scripts/project-root.js';
import { headCommand } from '../../src/cli/commands/head.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import type { HeadReport } from '../../src/evaluate/head/head-report.js';
import { loadBundle } from '../../src/model/bundle.js';
import { runCommand, type Ran } from './support/captured-io.js';
import { engineFixture } from './support/engine.js';

const EXAMPLE = join(PROJECT_ROOT, 'examples', 'help-centre');
const engine = engineFixture();
const index = engine.index('head');
let folder = '';
let flags: Record<string, string> = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-head-'));
  await runCommand(mappingCommand, { to: engine.url, index, text: ['title'] }, ['apply']);
  const corpus = (await readFile(join(EXAMPLE, 'corpus.jsonl'), 'utf8')).trim().split('\n');
  const bulk = corpus.map((line) => {
    const { _id, ...source } = JSON.parse(line) as { _id: string };
    return `{"index":{"_id":${JSON.stringify(_id)}}}\n${JSON.stringify(source)}\n`;
  });
  await engine.call('POST', `/${index}/_bulk?refresh=true`, bulk.join(''));
  flags = {
    queries: join(EXAMPLE, 'queries.jsonl'),
    qrels: join(EXAMPLE, 'qrels.tsv'),
    index,
    to: engine.url,
    out: join(folder, 'bundle'),
    cache: join(folder, 'vectors.bin'),
    negatives: '30',
    workers: '1',
    json: 'true',
  };
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

const train = (more: Record<string, string> = {}): Promise<Ran> =>
  runCommand(headCommand, { ...flags, ...more }, ['train']);

describe('twinrank head train on judgments', () => {
  it('learns from judged documents and hits, and writes a bundle with the same encoder', async () => {
    const { code, stdout, stderr } = await train();
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const report = JSON.parse(stdout) as HeadReport;
    assert.equal(report.kind, 'queries');
    assert.equal(report.examples['queries'], 64);
    assert.ok((report.examples['from_hits'] ?? 0) > 0, 'hits that nobody judged take part');
    const [, ndcg] = report.measures;
    assert.equal(ndcg?.name, 'judged-only nDCG@10');
    assert.ok(ndcg.anchor > 0.7 && ndcg.head > 0.7, JSON.stringify(ndcg));
    const bundle = await loadBundle(join(folder, 'bundle'));
    assert.equal(bundle.manifest.name, 'zh-en-small-trained');
    assert.deepEqual((bundle.head.training as HeadReport).examples, report.examples);
  });

  it('says which judged documents the index does not have, and goes on without them', async () => {
    const qrels = join(folder, 'more.tsv');
    await writeFile(
      qrels,
      `${await readFile(flags['qrels'] ?? '', 'utf8')}q-en-01\tnowhere-1\t2\nq-en-02\tnowhere-2\t0\n`,
    );
    const { code, stderr } = await train({ qrels, out: join(folder, 'more') });
    assert.equal(code, 0);
    assert.match(
      stderr,
      /Warning: .*more\.tsv: 2 of \d+ judged documents are not in the index .*\(nowhere-1, nowhere-2\)/,
    );
  });

  it('refuses another index, an index that is not set up, and a missing one', async () => {
    const other = engine.index('head-other');
    await engine.call('PUT', `/${other}/_doc/1?refresh=true`, { title: 'alone' });
    const out = join(folder, 'refused');
    await assert.rejects(train({ out, index: other }), /is not set up for twinrank.*--text.*mapping apply/s);
    await assert.rejects(
      runCommand(headCommand, { ...flags, out, index: other, text: ['title'] }, ['train']),
      /judged documents are not in the index.*Is this the right index/s,
    );
    await assert.rejects(
      train({ out, index: 'no-such-index-here' }),
      /There is no index "no-such-index-here"/,
    );
    assert.ok(!(await readdir(folder)).includes('refused'));
  });
});
