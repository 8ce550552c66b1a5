import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadBundle } from '../../../src/model/bundle.js';
import { defaultBundleFolder, listBundles } from '../../../src/model/default-bundle.js';
import { fingerprintOf, parseManifest } from '../../../src/model/manifest.js';
import { BUNDLE_FOLDER, bundleJson } from './fixtures.js';

type Json = Record<string, unknown>;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  for (const name of ['manifest.json', 'tokenizer.json', 'char-map.json', 'head.json', 'golden.json']) {
    copyFileSync(join(BUNDLE_FOLDER, name), join(folder, name));
  }
  symlinkSync(join(BUNDLE_FOLDER, 'encoder.onnx'), join(folder, 'encoder.onnx'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function changeManifest(change: (manifest: Json) => void): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Json;
  change(manifest);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
}

/** Writes a part and makes the manifest agree with it, as somebody would who edits a bundle by hand. */
function changePart(key: 'head' | 'golden', name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  changeManifest(
    ({ files }) => ((files as Json)[key] = { path: name, sha256, bytes: Buffer.byteLength(text) }),
  );
}

async function refused(message: RegExp): Promise<void> {
  await assert.rejects(loadBundle(folder), (error: Error & { code: string }) => {
    assert.equal(error.code, 'bad_bundle');
    assert.match(error.message, message);
    assert.ok(error.message.includes(folder), 'names the bundle');
    assert.match(error.message, /Restore the bundle|name another/);
    return true;
  });
}

describe('bundle', () => {
  it('is loaded when it is whole', async () => {
    const bundle = await loadBundle(folder);
    assert.equal(bundle.dimensions, bundle.manifest.dimensions);
    assert.equal(bundle.fingerprint, fingerprintOf(bundle.manifest));
    assert.equal(bundle.paths.encoder, join(folder, 'encoder.onnx'));
    assert.equal(bundle.head.weight[0]?.length, 3 * bundle.dimensions);
  });

  it('is refused when the folder is missing or a file', async () => {
    const whole = folder;
    folder = join(whole, 'nowhere');
    await refused(/no such folder/);
    folder = join(whole, 'head.json');
    await refused(/a folder is expected/);
    folder = whole;
  });

  it('is refused when the manifest is missing or no JSON', async () => {
    writeFileSync(join(folder, 'manifest.json'), '{');
    await refused(/manifest\.json is not valid JSON/);
    rmSync(join(folder, 'manifest.json'));
    await refused(/manifest\.json is missing/);
  });

  for (const name of ['encoder.onnx', 'tokenizer.json', 'char-map.json', 'head.json', 'golden.json']) {
    it(`is refused when ${name} is missing`, async () => {
      rmSync(join(folder, name));
      await refused(new RegExp(`${name.replace('.', '\\.')} is missing`));
    });
  }

  it('is refused when a file has another hash or length', async () => {
    const text = readFileSync(join(folder, 'tokenizer.json'), 'utf8');
    writeFileSync(join(folder, 'tokenizer.json'), text.replace('"Unigram"', '"unigram"'));
    await refused(/tokenizer\.json is damaged/);
    writeFileSync(join(folder, 'tokenizer.json'), text.slice(0, -1));
    await refused(/tokenizer\.json has \d+ bytes, the manifest says \d+/);
  });

  it('is refused by name when a file is a web page or a note of Git LFS', async () => {
    const page = '\ufeff\n<!DOCTYPE html><html><body>Sign in</body></html>';
    writeFileSync(join(folder, 'tokenizer.json'), page);
    await refused(/tokenizer\.json has \d+ bytes.* It is a web page \(HTML\).* Fetch the file itself/);
    rmSync(join(folder, 'encoder.onnx'));
    writeFileSync(
      join(folder, 'encoder.onnx'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\n',
    );
    await refused(/encoder\.onnx has \d+ bytes.*Git LFS.*git lfs pull/);
    writeFileSync(join(folder, 'manifest.json'), page);
    await refused(/manifest\.json is not valid JSON\. It is a web page/);
  });

  it('is refused when the fingerprint is not that of its parts', async () => {
    changeManifest((manifest) => (manifest['fingerprint'] = '0123456789abcdef'));
    await refused(/"fingerprint" is 0123456789abcdef/);
  });

  it('is refused when the dimensions of manifest and head differ', async () => {
    changeManifest((manifest) => (manifest['dimensions'] = 128));
    await refused(/head\.json is not usable: it is for 384 dimensions, the encoder has 128/);
  });

  it('is refused without a head', async () => {
    changeManifest(({ files }) => delete (files as Json)['head']);
    await refused(/names no "head"; a bundle without a trained head is not accepted/);
  });

  it('is refused when the head belongs to another encoder', async () => {
    const head = { ...(bundleJson('head.json') as Json), encoder_fingerprint: 'feedfeedfeedfeed' };
    changePart('head', 'head.json', JSON.stringify(head));
    await refused(/head\.json is not usable: it was trained on the encoder feedfeedfeedfeed/);
  });

  it('is refused when a head has wrong shapes, numbers or no JSON', async () => {
    const head = bundleJson('head.json') as Json;
    changePart('head', 'head.json', JSON.stringify({ ...head, weight: [[1], [2]] }));
    await refused(/"weight" must be 2 rows of 1152/);
    changePart('head', 'head.json', JSON.stringify({ ...head, bias: [0, null] }));
    await refused(/"bias" must be 2 finite numbers/);
    changePart('head', 'head.json', JSON.stringify({ ...head, format: 9 }));
    await refused(/"format" must be 1/);
    changePart('head', 'head.json', 'weights');
    await refused(/head\.json is not valid JSON/);
  });

  it('is refused when the golden examples prove nothing', async () => {
    const golden = bundleJson('golden.json') as { texts: Json[]; pairs: Json[] };
    changePart('golden', 'golden.json', JSON.stringify({ ...golden, texts: [] }));
    await refused(/golden\.json is not usable: "texts" must be a list and not empty/);
    changePart('golden', 'golden.json', JSON.stringify({ ...golden, pairs: undefined }));
    await refused(/"pairs" must be a list/);
    changePart('golden', 'golden.json', JSON.stringify({ ...golden, pairs: [{ query: 'x' }] }));
    await refused(/"pairs\[0\]"/);
    changePart(
      'golden',
      'golden.json',
      JSON.stringify({ ...golden, texts: [{ ...golden.texts[0], vector: [1] }] }),
    );
    await refused(/"texts\[0\]\.vector" must be 384/);
    changePart('golden', 'golden.json', JSON.stringify({ ...golden, texts: [{ text: 'x', kind: 'title' }] }));
    await refused(/"texts\[0\]" must have/);
  });
});

describe('manifest', () => {
  const cases: [string, (manifest: Json) => void, RegExp][] = [
    ['another format', (m) => (m['format'] = 2), /"format" is 2; this version reads format 1/],
    ['no name', (m) => (m['name'] = ''), /"name" must not be empty/],
    ['a missing text', (m) => delete m['license'], /"license" must be a text/],
    ['a prefix that is no text', (m) => (m['query_prefix'] = 1), /"query_prefix" must be a text/],
    ['another pooling', (m) => (m['pooling'] = 'max'), /"pooling" must be "mean" or "cls"/],
    ['a length that is no number', (m) => (m['max_tokens'] = '256'), /"max_tokens" must be a whole number/],
    ['a switch that is no switch', (m) => (m['normalize'] = 'yes'), /"normalize" must be true or false/],
    ['no inputs', (m) => (m['inputs'] = []), /"inputs" must be an object/],
    ['a file outside the folder', (m) => outside(m, '../encoder.onnx'), /inside the bundle's folder/],
    ['an absolute file', (m) => outside(m, '/encoder.onnx'), /inside the bundle's folder/],
    ['a hash that is none', (m) => (encoderOf(m)['sha256'] = 'abc'), /64 lower-case hex digits/],
    ['no file size', (m) => delete encoderOf(m)['bytes'], /"bytes" must be a whole number/],
  ];
  const encoderOf = (manifest: Json) => (manifest['files'] as Record<string, Json>)['encoder'] as Json;
  const outside = (manifest: Json, path: string) => (encoderOf(manifest)['path'] = path);

  for (const [name, change, message] of cases) {
    it(`with ${name} is refused`, () => {
      const manifest = bundleJson('manifest.json') as Json;
      change(manifest);
      assert.throws(() => parseManifest(manifest), message);
    });
  }

  it('that is no object is refused', () => {
    for (const json of [null, [], 'x', 1]) assert.throws(() => parseManifest(json), /must be an object/);
  });

  it('gives the same fingerprint for another head and query prefix, another for what is stored', () => {
    const manifest = parseManifest(bundleJson('manifest.json'));
    const same = {
      ...manifest,
      queryPrefix: 'q: ',
      files: { ...manifest.files, head: manifest.files.golden },
    };
    assert.equal(fingerprintOf(same), manifest.fingerprint);
    for (const change of [{ maxTokens: 128 }, { documentPrefix: '' }, { normalize: !manifest.normalize }]) {
      assert.notEqual(fingerprintOf({ ...manifest, ...change }), manifest.fingerprint);
    }
  });
});

describe('packaged bundles', () => {
  it('are listed with the default one among them', async () => {
    assert.ok((await listBundles()).includes(defaultBundleFolder()));
  });

  it('are none where there is no folder', async () => {
    assert.deepEqual(await listBundles(join(folder, 'nowhere')), []);
  });
});
