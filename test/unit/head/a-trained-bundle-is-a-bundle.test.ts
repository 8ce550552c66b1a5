/** The whole command on pairs, over the real model. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { headCommand } from '../../../src/cli/commands/head.js';
import type { HeadReport } from '../../../src/evaluate/head/head-report.js';
import { readVectorFile, writeVectorFile } from '../../../src/evaluate/head/vector-file.js';
import { loadBundle, type Bundle } from '../../../src/model/bundle.js';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import { createEncoderPool } from '../../../src/model/encoder-pool.js';
import { runCommand } from '../../integration/support/captured-io.js';

const THINGS = 'lamp kettle bicycle umbrella suitcase mirror pillow ladder hammer violin'.split(' ');
const ASKED = [
  'where to buy a {}',
  'cheap {} near me',
  'how to repair a {}',
  'is this {} any good',
  'sell my old {}',
];
const MEANT = [
  'a shop that sells a {}',
  'an inexpensive {}',
  'mending a broken {}',
  'reviews of the {}',
  'buyers for a used {}',
];

/** 50 similar pairs and 50 others, of our own words. */
function pairs(): string {
  const lines = THINGS.flatMap((thing, i) =>
    ASKED.flatMap((asked, k) => {
      const filled = (text: string | undefined, name: string) => (text ?? '').replace('{}', name);
      const other = THINGS[(i + 3) % THINGS.length] ?? '';
      const query = filled(asked, thing);
      return [`${query}\t${filled(MEANT[k], thing)}\t1`, `${query}\t${filled(MEANT[(k + 2) % 5], other)}\t0`];
    }),
  );
  return `text_a\ttext_b\tlabel\n${lines.join('\n')}\n`;
}

let folder = '';
let flags: Record<string, string> = {};
let written: Bundle;
let report: HeadReport & { bundle: { version: string } };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-head-'));
  await writeFile(join(folder, 'pairs.tsv'), pairs());
  flags = {
    pairs: join(folder, 'pairs.tsv'),
    out: join(folder, 'bundle'),
    cache: join(folder, 'vectors.bin'),
    name: 'ours',
    workers: '1',
    force: 'true',
    json: 'true',
  };
  const { code, stdout } = await runCommand(headCommand, flags, ['train']);
  assert.equal(code, 0);
  report = JSON.parse(stdout) as typeof report;
  written = await loadBundle(join(folder, 'bundle'));
});
after(() => rm(folder, { recursive: true, force: true }));

describe('twinrank head train', () => {
  it('writes a bundle of the same encoder, another head and another name', async () => {
    const source = await loadBundle(defaultBundleFolder());
    assert.equal(written.fingerprint, source.fingerprint);
    assert.equal(written.manifest.name, 'ours');
    const [version, head = ''] = written.manifest.version.split('+');
    assert.equal(version, source.manifest.version);
    assert.match(head, /^head\.[0-9a-f]{8}$/);
    assert.notEqual(written.manifest.files.head.sha256, source.manifest.files.head.sha256);
    assert.deepEqual(written.manifest.files.encoder, source.manifest.files.encoder);
    assert.notDeepEqual(
      written.golden.pairs.map(({ probability }) => probability),
      source.golden.pairs.map(({ probability }) => probability),
    );
    assert.deepEqual(written.golden.texts, source.golden.texts);
  });

  it('writes one that the workers accept, golden probabilities included', async () => {
    const pool = await createEncoderPool(written, { workers: 1, threadsPerWorker: 1 });
    await pool.close();
  });

  it('reports what was held out and notes it in the head', () => {
    assert.equal(report.examples['pairs'], 100);
    assert.deepEqual(
      report.measures.map(({ name }) => name),
      ['log loss', 'accuracy', 'AUC'],
    );
    assert.equal((written.head.training as HeadReport).seed, 1);
    assert.equal(report.bundle.version, written.manifest.version);
  });

  it('prints tables, takes known vectors from the cache, and writes nothing beside the bundle', async () => {
    const before = await stat(flags['cache'] ?? '');
    const { stdout } = await runCommand(
      headCommand,
      { ...flags, out: join(folder, 'again'), json: 'false' },
      ['train'],
    );
    assert.match(stdout, /log loss/);
    assert.match(stdout, /Brier/);
    assert.match(stdout, /stored vectors stay valid/);
    assert.equal((await stat(flags['cache'] ?? '')).mtimeMs, before.mtimeMs, 'nothing had to be encoded');
    assert.deepEqual((await readdir(folder)).sort(), ['again', 'bundle', 'pairs.tsv', 'vectors.bin']);
    const head = await readFile(join(folder, 'again', written.manifest.files.head.path), 'utf8');
    assert.deepEqual(
      (JSON.parse(head) as { weight: unknown }).weight,
      written.head.weight,
      'the same seed gives the same head',
    );
  });

  it('refuses before it encodes: a folder that is there, sources that contradict, another action', async () => {
    await assert.rejects(runCommand(headCommand, flags, ['train']), /bundle is there already/);
    const out = join(folder, 'new');
    await assert.rejects(
      runCommand(headCommand, { ...flags, out, qrels: 'x' }, ['train']),
      /--pairs goes without/,
    );
    await assert.rejects(runCommand(headCommand, { out }, ['train']), /Give --pairs FILE, or --queries/);
    await assert.rejects(
      runCommand(headCommand, { out, queries: 'x', qrels: 'y' }, ['train']),
      /needs all of/,
    );
    await assert.rejects(runCommand(headCommand, { ...flags, out }, ['learn']), /say twinrank head train/);
    await assert.rejects(
      runCommand(headCommand, { ...flags, out, pairs: 'nowhere.tsv' }, ['train']),
      /no such file/,
    );
    await assert.rejects(
      runCommand(headCommand, { ...flags, out: join(folder, 'no', 'such') }, ['train']),
      /is not a folder; make it first/,
    );
  });

  it('refuses a cache of another encoder, a damaged one, and a file that is none', async () => {
    const cache = join(folder, 'other.bin');
    const ours = { fingerprint: '0123456789abcdef', dimensions: 2 };
    await writeVectorFile(cache, ours, new Map([['00'.repeat(16), Float32Array.of(1, 2)]]));
    assert.deepEqual([...(await readVectorFile(cache, ours))], [['00'.repeat(16), Float32Array.of(1, 2)]]);
    const refused = (message: RegExp) =>
      assert.rejects(
        runCommand(headCommand, { ...flags, cache, out: join(folder, 'new') }, ['train']),
        message,
      );
    await refused(/other\.bin: holds vectors of the encoder 0123456789abcdef/);
    const bytes = await readFile(cache);
    await writeFile(cache, bytes.subarray(0, -1));
    await assert.rejects(readVectorFile(cache, ours), /is damaged/);
    await writeFile(cache, 'something else\n');
    await refused(/is not a file of vectors/);
    assert.ok(!(await readdir(folder)).includes('new'));
  });
});
