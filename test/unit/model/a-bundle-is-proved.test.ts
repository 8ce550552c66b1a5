import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { checkBundle, type BundleCheck } from '../../../src/model/bundle-checks.js';
import { BUNDLE_FOLDER } from './fixtures.js';
import { writeTinyBundle, type TinyChanges } from './tiny-bundle.js';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'proved-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function checksOf(bundle: string): Promise<BundleCheck[]> {
  const checks: BundleCheck[] = [];
  for await (const check of checkBundle(bundle)) checks.push(check);
  return checks;
}

async function failuresOf(changes: TinyChanges): Promise<BundleCheck[]> {
  const checks = await checksOf(writeTinyBundle(join(folder, 'tiny'), changes));
  return checks.filter(({ ok }) => !ok);
}

const EVERY_CHECK = [
  'manifest',
  'encoder.onnx',
  'tokenizer.json',
  'char-map.json',
  'head.json',
  'golden.json',
  'head',
  'encoder starts',
  'golden examples',
  'scores',
  'batch',
];

describe('the proof of a bundle', () => {
  it('holds for the bundle that ships, step by step', async () => {
    const checks = await checksOf(BUNDLE_FOLDER);
    assert.deepEqual(
      checks.map(({ name, ok }) => [name, ok]),
      EVERY_CHECK.map((name) => [name, true]),
    );
  });

  it('holds for a tiny one', async () => {
    const checks = await checksOf(writeTinyBundle(join(folder, 'tiny')));
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(checks.length, EVERY_CHECK.length);
  });

  it('names every damaged file and starts no encoder on them', async () => {
    writeTinyBundle(folder);
    for (const name of ['encoder.onnx', 'head.json']) {
      const bytes = readFileSync(join(folder, name));
      writeFileSync(join(folder, name), bytes.subarray(0, bytes.length / 2));
    }
    const checks = await checksOf(folder);
    const failed = checks.filter(({ ok }) => !ok);
    assert.deepEqual(
      failed.map(({ name }) => name),
      ['encoder.onnx', 'head.json'],
    );
    for (const { detail } of failed) assert.match(detail, /has \d+ bytes, the manifest says \d+/);
    assert.ok(checks.every(({ name }) => name !== 'encoder starts'));
  });

  it('fails where the golden examples differ', async () => {
    const failed = await failuresOf({
      golden: ({ texts }) => ((texts as { vector: number[] }[])[2] as { vector: number[] }).vector.fill(0.5),
    });
    assert.deepEqual(
      failed.map(({ name }) => name),
      ['golden examples'],
    );
    assert.match(failed[0]?.detail ?? '', /the vector of golden text .* differs by/);
  });

  it('fails where a vector depends on its batch', async () => {
    const failed = await failuresOf({ dependsOnBatch: true });
    const batch = failed.find(({ name }) => name === 'batch');
    assert.match(batch?.detail ?? '', /alone and in a batch of 40 the vectors differ by [1-9]\.\de-[12] /);
  });

  it('gives no verdict when it is interrupted', async () => {
    writeTinyBundle(folder);
    const proof = checkBundle(folder, AbortSignal.abort());
    await assert.rejects(async () => {
      for await (const check of proof) assert.ok(check.ok, check.detail);
    }, /abort/);
  });

  it('fails where the head is for another encoder or not finite', async () => {
    const other = await failuresOf({ head: (head) => (head['encoder_fingerprint'] = 'feedfeedfeedfeed') });
    assert.match(
      other[0]?.detail ?? '',
      /head\.json .* trained on the encoder feedfeedfeedfeed.*Train a head on/s,
    );
    const infinite = await failuresOf({ head: (head) => (head['bias'] = [0, null]) });
    assert.match(infinite[0]?.detail ?? '', /"bias" must be 2 finite numbers/);
  });
});

describe('an encoder that does not fit its manifest', () => {
  const cases: [string, TinyChanges, RegExp][] = [
    [
      'a graph with other input names',
      { idsInput: 'tokens' },
      /encoder\.onnx\) cannot be used: its graph has no input "input_ids"; it has tokens, attention_mask\. Name the right one in "inputs\.ids" of manifest\.json/,
    ],
    [
      'a graph that wants a third input',
      { extraInput: 'token_type_ids' },
      /encoder\.onnx\) cannot be used: its graph also wants the input token_type_ids.*Export it with these two/,
    ],
    [
      'a graph without the output',
      { manifest: (manifest) => (manifest['output'] = 'pooled') },
      /no output "pooled"; it has sentence_embedding\. Name the right one in "output" of manifest\.json/,
    ],
    [
      'a pad id that is another piece',
      { manifest: (manifest) => (manifest['pad_id'] = 500) },
      /tokenizer\.json\) cannot be used: it has no token to pad with: "pad_id" in manifest\.json is 500, but that is the piece .*<pad> 1/,
    ],
    [
      'a pad id beyond the vocabulary',
      { manifest: (manifest) => (manifest['pad_id'] = 1_000_000) },
      /is 1000000, but there is no such piece/,
    ],
    [
      'a tokenizer without a pad token',
      {
        tokenizer: (tokenizer) => {
          const tokens = tokenizer['added_tokens'] as { id: number }[];
          tokenizer['added_tokens'] = tokens.filter(({ id }) => id !== 1);
          (tokenizer['model'] as { vocab: [string, number][] }).vocab[1] = ['\u2581filler', -99];
        },
      },
      /no token to pad with: "pad_id" in manifest\.json is 1, but that is the piece "▁filler".*one needs one added/,
    ],
  ];
  for (const [name, changes, message] of cases) {
    it(`is named: ${name}`, async () => {
      const failed = await failuresOf(changes);
      assert.deepEqual(
        failed.map((check) => check.name),
        ['encoder starts'],
      );
      assert.match(failed[0]?.detail ?? '', message);
      assert.ok(failed[0]?.detail.includes(folder), 'names the bundle');
    });
  }
});
