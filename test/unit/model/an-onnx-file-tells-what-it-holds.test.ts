import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bundleFacts } from '../../../src/model/bundle-facts.js';
import { loadBundle } from '../../../src/model/bundle.js';
import { readOnnx } from '../../../src/model/onnx-file.js';
import { BUNDLE_FOLDER } from './fixtures.js';
import { writeTinyBundle } from './tiny-bundle.js';

describe('an ONNX file', () => {
  const encoder = readFileSync(join(BUNDLE_FOLDER, 'encoder.onnx'));

  it('tells inputs, outputs, opsets and operators', () => {
    const facts = readOnnx(encoder);
    assert.deepEqual(facts.inputs, [
      { name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] },
      { name: 'attention_mask', type: 'int64', shape: ['batch', 'sequence'] },
    ]);
    assert.deepEqual(facts.outputs, [{ name: 'sentence_embedding', type: 'float32', shape: ['batch', 384] }]);
    assert.deepEqual(facts.opsets, { 'ai.onnx': 21, 'com.microsoft': 1 });
    // 12 layers of six matrices, and the word table.
    assert.equal(facts.operators['MatMulNBits'], 72);
    assert.equal(facts.operators['GatherBlockQuantized'], 1);
  });

  it('is refused where it is cut or something else', () => {
    for (const bytes of [encoder.subarray(0, 1000), Buffer.from('<!doctype html>'), Buffer.alloc(0)]) {
      assert.throws(() => readOnnx(bytes), /it is no ONNX model: it /);
    }
  });
});

describe('the facts of a bundle', () => {
  it('name tokenizer, special tokens, head and files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'facts-'));
    try {
      const facts = await bundleFacts(await loadBundle(writeTinyBundle(folder)));
      assert.equal(facts.tokenizer.kind, 'Unigram');
      assert.equal(facts.tokenizer.pieces, 65_906);
      assert.deepEqual(facts.tokenizer.special[1], { id: 1, content: '<pad>' });
      assert.deepEqual(facts.head.parts, ['|u-v|']);
      assert.deepEqual(facts.encoder.outputs[0]?.shape, ['batch', 4]);
      assert.deepEqual(
        facts.files.map(({ role, path }) => [role, path]),
        [
          ['encoder', 'encoder.onnx'],
          ['tokenizer', 'tokenizer.json'],
          ['char_map', 'char-map.json'],
          ['head', 'head.json'],
          ['golden', 'golden.json'],
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
