import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { TwinrankError, type ErrorCode } from '../../../src/errors.js';
import { loadBundle, type Bundle } from '../../../src/model/bundle.js';
import { prepareEncoder, type WriteFile } from '../../../src/model/int8-cache.js';
import { withPrecision } from '../../../src/model/precision.js';
import { BUNDLE_FOLDER } from './fixtures.js';
import { writeTinyBundle } from './tiny-bundle.js';

describe('the int8 encoder in the cache', () => {
  let root: string;
  let cache: string;
  let bundle: Bundle;
  let count = 0;
  const kept = (): string[] => readdirSync(join(cache, 'int8'));
  const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
    error instanceof TwinrankError && error.code === code && message.test(error.message);

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'int8-cache-'));
    bundle = withPrecision(await loadBundle(BUNDLE_FOLDER), 'int8');
  });
  beforeEach(() => (cache = join(root, String(count++))));
  after(() => rmSync(root, { recursive: true }));

  it('is one file, whoever starts at the same time', async () => {
    const started = await Promise.all([1, 2, 3].map(() => prepareEncoder(bundle, cache)));
    assert.equal(new Set(started.map(({ paths }) => paths.encoder)).size, 1);
    assert.deepEqual(
      kept().map((name) => join(cache, 'int8', name)),
      [started[0]?.paths.encoder],
    );
  });

  it('is not made again when it is there', async () => {
    const { paths } = await prepareEncoder(bundle, cache);
    const never: WriteFile = () => Promise.reject(new Error('written again'));
    assert.equal((await prepareEncoder(bundle, cache, never)).paths.encoder, paths.encoder);
  });

  it('is made again where it is cut or changed', async () => {
    const { paths } = await prepareEncoder(bundle, cache);
    const whole = readFileSync(paths.encoder);
    const changed = Buffer.from(whole);
    changed[1_000_000] = (changed[1_000_000] as number) ^ 1;
    for (const damaged of [whole.subarray(0, 5000), changed]) {
      writeFileSync(paths.encoder, damaged);
      assert.equal((await prepareEncoder(bundle, cache)).paths.encoder, paths.encoder);
      assert.ok(readFileSync(paths.encoder).equals(whole));
    }
  });

  it('leaves nothing behind on a full disk, and says how much room it wants', async () => {
    const full: WriteFile = (path, bytes) => {
      writeFileSync(path, bytes.subarray(0, 1000));
      return Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    };
    await assert.rejects(prepareEncoder(bundle, cache, full), fails('no_space', /39 MB.*--precision fp32/));
    assert.deepEqual(kept(), []);
  });

  it('says what to do where the folder cannot be made', async () => {
    writeFileSync(cache, 'a file');
    await assert.rejects(prepareEncoder(bundle, cache), fails('bad_config', /TWINRANK_CACHE/));
  });

  it('sweeps up what a stopped start left an hour ago, and not what another writes now', async () => {
    const folder = join(cache, 'int8');
    mkdirSync(folder, { recursive: true });
    const [old, fresh] = [join(folder, 'a.partial'), join(folder, 'b.partial')];
    writeFileSync(old, '');
    writeFileSync(fresh, '');
    utimesSync(old, new Date(0), new Date(0));
    await prepareEncoder(bundle, cache);
    assert.deepEqual(
      kept().filter((name) => name.endsWith('.partial')),
      ['b.partial'],
    );
  });

  it('cannot be had of an encoder without matrices', async () => {
    const tiny = withPrecision(await loadBundle(writeTinyBundle(join(root, 'tiny'))), 'int8');
    await assert.rejects(
      prepareEncoder(tiny, cache),
      fails(
        'bad_bundle',
        /encoder\.onnx cannot be computed in int8: none of its matrices .*--precision fp32/,
      ),
    );
  });
});
