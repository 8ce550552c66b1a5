import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { modelInspectCommand } from '../../../src/cli/commands/model/inspect.js';
import { modelListCommand } from '../../../src/cli/commands/model/list.js';
import { modelVerifyCommand } from '../../../src/cli/commands/model/verify.js';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import { runCommand } from '../../integration/support/captured-io.js';
import { writeTinyBundle } from '../model/tiny-bundle.js';

let folder = '';
let tiny = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'models-'));
  tiny = writeTinyBundle(join(folder, 'models', 'tiny'));
});
after(() => rmSync(folder, { recursive: true }));

describe('model inspect', () => {
  it('shows the bundle that ships where none is named', async () => {
    const { code, stdout } = await runCommand(modelInspectCommand, {});
    assert.equal(code, 0);
    for (const part of [
      /^zh-en-small \d/,
      /licence +MIT/,
      /vectors +384 dimensions, mean pooling, unit length/,
      /prefixes +query "query: "/,
      /inputs +input_ids int64\[batch, sequence\]/,
      /tokenizer +Unigram, 65906 pieces; .*<pad> 1/,
      /calibration +Brier score: mixture 0\.\d+ \(base rate 0\.\d+\)/,
      /encoder\.onnx +\d+ bytes {2}[0-9a-f]{64}/,
    ]) {
      assert.match(stdout, part);
    }
  });

  it('shows the one that is named, before that of --model', async () => {
    const flags = { model: defaultBundleFolder(), json: true };
    const { stdout } = await runCommand(modelInspectCommand, flags, [tiny]);
    const facts = JSON.parse(stdout) as { folder: string; manifest: { name: string; dimensions: number } };
    assert.deepEqual([facts.folder, facts.manifest.name, facts.manifest.dimensions], [tiny, 'tiny', 4]);
  });

  it('says that a head notes no calibration', async () => {
    const { stdout } = await runCommand(modelInspectCommand, {}, [tiny]);
    assert.match(stdout, /calibration +not noted/);
  });
});

describe('model verify', () => {
  it('ends with 0 and a verdict', async () => {
    const { code, stdout } = await runCommand(modelVerifyCommand, {}, [tiny]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok +manifest/);
    assert.match(stdout, /The bundle is good\.\n$/);
  });

  it('ends with 1 for a bundle that fails a check, in text and in JSON', async () => {
    const other = writeTinyBundle(join(folder, 'other'), { idsInput: 'tokens' });
    const shown = await runCommand(modelVerifyCommand, {}, [other]);
    assert.equal(shown.code, 1);
    assert.match(shown.stdout, /FAILED +encoder starts .*no input "input_ids"/);
    assert.match(shown.stdout, /The bundle is not to be used\.\n$/);
    const json = await runCommand(modelVerifyCommand, { json: true }, [other]);
    assert.equal(json.code, 1);
    const checks = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; ok: boolean });
    assert.deepEqual(
      checks.filter(({ ok }) => !ok).map(({ name }) => name),
      ['encoder starts'],
    );
  });
});

describe('model list', () => {
  it('lists what ships, what is in a folder and what was pulled', async () => {
    const cache = join(folder, 'cache');
    const pulled = writeTinyBundle(join(cache, 'models', 'owner--name', '0123abcd'));
    const flags = { models: join(folder, 'models'), cache, json: true };
    const { code, stdout } = await runCommand(modelListCommand, flags);
    assert.equal(code, 0);
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { folder: string });
    assert.deepEqual(
      listed.map((bundle) => bundle.folder),
      [defaultBundleFolder(), tiny, pulled],
    );
  });

  it('goes on past one that cannot be read, and says why', async () => {
    const models = join(folder, 'half');
    mkdirSync(join(models, 'broken'), { recursive: true });
    writeFileSync(join(models, 'broken', 'manifest.json'), '<!DOCTYPE html><html>sign in</html>');
    const flags = { models, cache: join(folder, 'nowhere') };
    const { code, stdout, stderr } = await runCommand(modelListCommand, flags);
    assert.equal(code, 0);
    assert.match(stdout, /zh-en-small/);
    assert.match(stdout, /unreadable/);
    assert.match(stderr, /manifest\.json is not valid JSON\. It is a web page \(HTML\)/);
  });
});
