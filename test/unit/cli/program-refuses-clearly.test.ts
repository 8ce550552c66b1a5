/** Wrong flags, contradictions and broken bundles: one line that says what to do, and the right exit code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';

const PROGRAM = new URL('../../../src/cli/main.js', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('close', (code) => {
      resolve({ code, stderr });
    });
  });
}

describe('the program refuses clearly', () => {
  const upstream = ['--upstream', 'http://127.0.0.1:1'];
  for (const [name, args, message] of [
    ['no command', [], /Say which command/],
    ['a group without a command', ['model'], /Say what to do; twinrank model --help lists it/],
    ['an unknown command of a group', ['model', 'mend'], /mend/],
    ['an unknown command', ['server'], /server/],
    [
      'a file of API keys that is not there',
      ['serve', '--listen', '127.0.0.1:0', '--api-key-file', '/nowhere/keys'],
      /API keys.*nowhere/,
    ],
    [
      'API keys for endpoints that are off',
      ['rerank', ...upstream, '--models-api-key-file', 'k'],
      /--models-listen/,
    ],
    ['an unknown flag', ['rerank', ...upstream, '--windw', '5'], /windw/],
    ['a missing upstream', ['rerank'], /--upstream is missing.*TWINRANK_UPSTREAM/],
    [
      'an upstream that is no address',
      ['rerank', '--upstream', 'engine'],
      /--upstream: expected an address such as/,
    ],
    [
      'a port out of range',
      ['ingest', ...upstream, '--listen', '127.0.0.1:70000'],
      /--listen: expected HOST:PORT/,
    ],
    [
      'a budget that is no number',
      ['rerank', ...upstream, '--budget', 'soon'],
      /--budget: expected a whole number from 1/,
    ],
    [
      'a swap without a new index',
      ['reindex', '--to', 'http://127.0.0.1:1', '--index', 'a', '--swap', 'b'],
      /--swap needs --dest/,
    ],
    [
      'a single pass, which verifies nothing',
      ['reindex', '--to', 'http://127.0.0.1:1', '--index', 'a', '--passes', '1'],
      /--passes: expected a whole number from 2/,
    ],
    ['an unknown action on jobs', ['jobs', 'stop', '--to', 'http://127.0.0.1:1'], /jobs cancel ID/],
    ['a flag given twice', ['rerank', ...upstream, ...upstream], /--upstream is given 2 times/],
    [
      'data and admin on one port',
      ['rerank', ...upstream, '--listen', '9301', '--admin', '9301'],
      /--listen and --admin are both/,
    ],
    [
      'a service that would call itself',
      ['ingest', '--upstream', 'http://localhost:9301', '--listen', '9301'],
      /call itself/,
    ],
    ['an authority for http', ['ingest', ...upstream, '--ca', 'ca.pem'], /--ca is for https/],
    [
      'trust of one authority and of any',
      ['ingest', '--upstream', 'https://127.0.0.1:1', '--ca', 'ca.pem', '--insecure'],
      /contradict/,
    ],
    [
      'index and template at once',
      ['mapping', 'apply', '--to', 'http://127.0.0.1:1', '--index', 'a', '--template', 'b'],
      /either --index or --template/,
    ],
    ['an unknown action', ['mapping', 'drop', '--to', 'http://127.0.0.1:1', '--index', 'a'], /mapping apply/],
    [
      'assumed settings that are not there',
      ['rerank', ...upstream, '--listen', '0', '--assume-settings', '/nowhere.json'],
      /--assume-settings: \/nowhere\.json cannot be read/,
    ],
    ['a certificate without its key', ['rerank', ...upstream, '--tls-cert', 'c.pem'], /belong together/],
    [
      'a certificate that is not there',
      ['rerank', ...upstream, '--tls-cert', '/no.pem', '--tls-key', '/no.pem'],
      /--tls-cert: \/no\.pem cannot be read/,
    ],
    ['a wrong policy', ['ingest', ...upstream, '--on-encode-failure', 'ignore'], /expected reject or pass/],
  ] as const) {
    it(`${name}: exit 2 and one line`, async () => {
      const { code, stderr } = await run(...args);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.equal(code, 2);
    });
  }

  it('an engine that is not there: exit 1, the address without its credentials', async () => {
    const { code, stderr } = await run(
      'mapping',
      'show',
      '--to',
      'http://admin:secret@127.0.0.1:1',
      '--index',
      'a',
    );
    assert.equal(code, 1);
    assert.match(stderr, /http:\/\/127\.0\.0\.1:1 cannot be reached/);
    assert.doesNotMatch(stderr, /secret/);
  });

  describe('a broken bundle', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'twinrank-bundle-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const broken = async (name: string, breakIt: (bundle: string) => Promise<void>): Promise<Ended> => {
      const bundle = join(folder, name);
      await cp(defaultBundleFolder(), bundle, { recursive: true });
      await breakIt(bundle);
      return run('rerank', ...upstream, '--listen', '0', '--model', bundle);
    };

    it('without its head is refused by name', async () => {
      const { code, stderr } = await broken('headless', (bundle) => rm(join(bundle, 'head.json')));
      assert.equal(code, 1);
      assert.match(stderr, /headless.*head\.json/);
    });

    it('with a changed file is refused by name', async () => {
      const { code, stderr } = await broken('changed', async (bundle) => {
        const path = join(bundle, 'tokenizer.json');
        await writeFile(path, (await readFile(path, 'utf8')).replace('"type"', '"tyqe"'));
      });
      assert.equal(code, 1);
      assert.match(stderr, /changed.*tokenizer\.json/);
    });

    it('that is not there is refused by name', async () => {
      const { code, stderr } = await run(
        'rerank',
        ...upstream,
        '--listen',
        '0',
        '--model',
        join(folder, 'nowhere'),
      );
      assert.equal(code, 1);
      assert.match(stderr, /nowhere/);
    });
  });
});
