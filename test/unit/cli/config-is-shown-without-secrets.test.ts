/** `twinrank config print`: values, sources, problems; and no secret. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { configurationReference } from '../../../scripts/docs/configuration-reference.js';
import { PROJECT_ROOT } from '../../../scripts/project-root.js';
import { catalog, configurable } from '../../../src/cli/catalog.js';
import { effectiveOptions, withoutSecret } from '../../../src/cli/effective-options.js';
import { NO_FILE } from '../../../src/cli/option-sources.js';
import { text, type Option } from '../../../src/cli/options.js';

const PROGRAM = new URL('../../../src/cli/main.js', import.meta.url).pathname;

interface Shown {
  readonly options: readonly { option: string; value: unknown; origin: string; where: string }[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

describe('twinrank config print', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'twinrank-config-'));
    file = join(folder, 'twinrank.yaml');
    writeFileSync(file, 'upstream: https://me:file-Secret@h:1\nrerank:\n  budget: 77\n');
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  function run(
    args: readonly string[],
    env: Record<string, string> = {},
  ): { status: number | null; stdout: string; stderr: string } {
    const options = { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], options);
    return { status, stdout, stderr };
  }
  const shown = (args: readonly string[], env: Record<string, string> = {}): Shown =>
    JSON.parse(run(['config', 'print', ...args, '--json'], env).stdout) as Shown;
  const row = (all: Shown, name: string): unknown[] => {
    const found = all.options.find(({ option }) => option === name);
    return [found?.value, found?.origin, found?.where];
  };

  it('names the source of each value', () => {
    const all = shown(['rerank', '--mode', 'shadow'], { TWINRANK_CONFIG: file, TWINRANK_BLEND: '0.5' });
    assert.deepEqual(row(all, 'mode'), ['shadow', 'flag', '--mode']);
    assert.deepEqual(row(all, 'blend'), ['0.5', 'environment', 'TWINRANK_BLEND']);
    assert.deepEqual(row(all, 'budget'), ['77', 'file', `${file}, rerank: budget`]);
    assert.deepEqual(row(all, 'window'), [undefined, undefined, undefined]);
    assert.deepEqual(row(all, 'listen'), ['127.0.0.1:9202', 'default', '']);
    assert.deepEqual(row(all, 'workers'), [null, 'unset', '']);
    assert.deepEqual([all.problems, all.warnings], [[], []]);
  });

  it('shows no password, wherever it was given', () => {
    for (const [args, env] of [
      [['--config', file], {}],
      [['--upstream', 'http://me:flag-Secret@h'], {}],
      [[], { TWINRANK_UPSTREAM: 'http://me:env-Secret@h' }],
      [['--upstream', 'ftp://me:flag-Secret@h'], {}],
      [['--upstream', 'http://me:flag/Secret@h'], {}],
    ] as const) {
      for (const form of [[], ['--json']]) {
        const { stdout, stderr } = run(['config', 'print', 'rerank', ...args, ...form], env);
        assert.match(stdout, /me:\*\*\*@h/);
        assert.doesNotMatch(stdout + stderr, /Secret/);
      }
    }
  });

  it('names every value that cannot be used, and exits with 2', () => {
    const args = ['config', 'print', 'rerank', '--upstream', 'x', '--budget', 'soon'];
    const { status, stderr } = run(args, { TWINRANK_WORKERS: '0' });
    assert.equal(status, 2);
    const lines = stderr.trim().split('\n');
    assert.equal(lines.length, 3, stderr);
    for (const name of ['--upstream', '--budget', 'TWINRANK_WORKERS'])
      assert.match(stderr, new RegExp(`${name}: expected`));
    assert.equal(run(['config', 'print', 'rerank']).status, 2);
    assert.equal(run(['config', 'print', 'rerank', '--config', file]).status, 0);
  });

  it('names variables that nothing reads', () => {
    const all = shown(['serve'], { TWINRANK_UPSTEAM: 'x', TWINRANK_TEST_ENGINE: 'x', TWINRANK_LISTEN: '1' });
    assert.deepEqual(all.warnings, [
      'TWINRANK_UPSTEAM is set, but no option reads it. Did you mean "TWINRANK_UPSTREAM"?',
    ]);
  });

  it('is there for every command, with the name that the file uses', () => {
    for (const { name } of configurable(catalog())) {
      const { stdout, stderr } = run(['config', 'print', ...name.split(' '), '--json']);
      assert.equal((JSON.parse(stdout) as { command?: string }).command, name, stderr);
    }
  });

  it('refuses a file that is not there, and one with a slip', () => {
    const missing = run(['config', 'print', 'rerank', '--config', join(folder, 'no.yaml')]);
    assert.deepEqual([missing.status, missing.stdout], [2, '']);
    assert.match(missing.stderr, /no\.yaml cannot be read.*--config or TWINRANK_CONFIG/);
  });
});

describe('the program', () => {
  it('runs a command with the values of the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'twinrank-config-'));
    try {
      const file = join(folder, 'c.json');
      writeFileSync(file, JSON.stringify({ upstream: 'http://127.0.0.1:9', rerank: { budget: 'soon' } }));
      const options = { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } } as const;
      const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'rerank', '--config', file], options);
      assert.equal(status, 2);
      assert.equal(
        stderr,
        `twinrank: ${file}, rerank: budget: expected a whole number from 1 to 60000, got "soon".\n`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('every option', () => {
  it('that is a secret is marked as one', () => {
    for (const { name, options } of catalog())
      for (const option of Object.values(options)) {
        if (!/token|password|secret|api-key/.test(option.flag) || /-file$|max-tokens/.test(option.flag))
          continue;
        assert.equal(option.secret, true, `${name} --${option.flag}`);
      }
  });

  it('has a variable that says whose it is, unless it belongs on the command line', () => {
    for (const { name, options } of catalog())
      for (const { flag, env } of Object.values(options))
        if (env !== null)
          assert.match(env, /^(TWINRANK|HF)_[A-Z0-9_]+$|^OPENSEARCH_URL$/, `${name} --${flag}`);
  });

  it('can be told from a command in the configuration file', () => {
    const names = catalog().map(({ name }) => name);
    for (const { options } of catalog())
      for (const { flag } of Object.values(options)) assert.ok(!names.includes(flag), flag);
  });

  it('is hidden where it is secret', () => {
    const token: Option<string> = { flag: 'token', env: 'TOKEN', help: '', secret: true, parse: text };
    const sources = { argv: {}, env: { TOKEN: 'abc' }, file: NO_FILE };
    assert.deepEqual(effectiveOptions({ token }, sources)[0]?.values, ['(hidden)']);
    const plain = { ...token, secret: false };
    assert.equal(withoutSecret(plain, 'http://tok3n@h/p'), 'http://***@h/p');
    assert.equal(withoutSecret(plain, 'http://h:9200/p'), 'http://h:9200/p');
  });
});

describe('docs/configuration.md', () => {
  it('is what npm run docs:config writes', () => {
    const written = readFileSync(join(PROJECT_ROOT, 'docs', 'configuration.md'), 'utf8');
    assert.ok(written === configurationReference(catalog()), 'It is out of date: run npm run docs:config.');
  });
});
