/** The completion scripts, run by the shells themselves; zsh and fish where this machine has them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { catalog, configurable } from '../../../src/cli/catalog.js';
import { completionScript, SHELLS, type Shell } from '../../../src/cli/completion-script.js';

const PROGRAM = new URL('../../../src/cli/main.js', import.meta.url).pathname;

describe('completion', () => {
  let folder: string;
  const file = (shell: Shell): string => join(folder, `completion.${shell}`);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'twinrank-completion-'));
    for (const shell of SHELLS) writeFileSync(file(shell), completionScript(shell, catalog()));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const skipWithout = (shell: Shell): string | false =>
    spawnSync(shell, ['--version']).error === undefined ? false : `There is no ${shell} on this machine.`;
  function run(shell: Shell, script: string): string[] {
    const { status, stdout, stderr } = spawnSync(shell, ['-c', script], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** What bash offers for the last of these words. */
  function inBash(...words: readonly string[]): string[] {
    const array = ['twinrank', ...words].map((word) => `'${word}'`).join(' ');
    return run(
      'bash',
      `source '${file('bash')}'; COMP_WORDS=(${array}); COMP_CWORD=${words.length}; _twinrank; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  }

  describe('in bash', () => {
    it('is bound to the program, files where nothing else fits', () => {
      assert.deepEqual(run('bash', `source '${file('bash')}'; complete -p twinrank`), [
        'complete -o default -F _twinrank twinrank',
      ]);
    });

    it('offers commands, words of groups and actions', () => {
      assert.deepEqual(inBash('re'), ['rerank', 'reindex']);
      assert.deepEqual(inBash('model', 'p'), ['pull']);
      assert.deepEqual(inBash('mapping', ''), ['apply', 'show']);
      assert.deepEqual(inBash('jobs', 'c'), ['cancel']);
      assert.deepEqual(inBash('completion', ''), ['bash', 'zsh', 'fish']);
      assert.deepEqual(inBash('config', 'print', 'ser'), ['serve']);
      assert.deepEqual(inBash('config', 'print', 'model', 'b'), ['bench']);
    });

    it('offers the flags of the command, after its action and other flags too', () => {
      assert.deepEqual(inBash('rerank', '--bud'), ['--budget']);
      assert.deepEqual(inBash('mapping', 'apply', '--vector'), ['--vector-field']);
      assert.deepEqual(inBash('reindex', '--to', 'http://h', '--dry'), ['--dry-run']);
      assert.deepEqual(inBash('config', 'print', 'rerank', '--bud'), ['--budget']);
      assert.deepEqual(inBash('rerank', '--conf'), ['--config']);
      assert.deepEqual(inBash('ingest', '--bud'), []);
    });

    it('leaves values to the shell', () => {
      assert.deepEqual(inBash('rerank', '--model', ''), []);
      assert.deepEqual(inBash('nonsense', ''), []);
    });

    it('knows every flag of every command', () => {
      for (const { name, options } of configurable(catalog())) {
        const offered = inBash(...name.split(' '), '--');
        for (const { flag } of Object.values(options))
          assert.ok(offered.includes(`--${flag}`), `${name} --${flag}`);
      }
    });
  });

  it('in zsh offers commands and flags', { skip: skipWithout('zsh') }, () => {
    // What _describe would show, without a line editor.
    const stub = `compdef() { :; }; _files() { print files; }; _describe() { local list="\${@[-1]}"; print -rl -- "\${(@P)list}"; }`;
    const inZsh = (...words: readonly string[]): string[] =>
      run(
        'zsh',
        `${stub}; source '${file('zsh')}'; words=(twinrank ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _twinrank`,
      );
    assert.ok(inZsh('').some((line) => line.startsWith('rerank:Run the rerank proxy')));
    assert.ok(inZsh('mapping', '').some((line) => line.startsWith('apply:')));
    assert.ok(inZsh('rerank', '--').some((line) => line.startsWith('--budget:Milliseconds')));
    assert.ok(inZsh('model', 'bench', '--').some((line) => line.startsWith('--seconds:')));
    assert.deepEqual(inZsh('rerank', '--model', ''), ['files']);
  });

  it('in fish offers commands and flags', { skip: skipWithout('fish') }, () => {
    const inFish = (line: string): string[] =>
      run('fish', `source '${file('fish')}'; complete -C '${line}'`).map(
        (offer) => offer.split('\t')[0] ?? '',
      );
    assert.deepEqual(inFish('twinrank re').sort(), ['reindex', 'rerank']);
    assert.deepEqual(inFish('twinrank mapping ').sort(), ['apply', 'show']);
    assert.deepEqual(inFish('twinrank rerank --bud'), ['--budget']);
    assert.deepEqual(inFish('twinrank model bench --sec'), ['--seconds']);
    assert.deepEqual(inFish('twinrank config print serve --max-te'), ['--max-texts']);
  });

  it('is printed by the program, and refused for other shells by name', () => {
    const options = { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } } as const;
    for (const shell of SHELLS) {
      const { status, stdout } = spawnSync(process.execPath, [PROGRAM, 'completion', shell], options);
      assert.equal(status, 0);
      assert.ok(stdout === completionScript(shell, catalog()));
    }
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'completion', 'fsh'], options);
    assert.equal(status, 2);
    assert.match(stderr, /no completion for "fsh": say bash, zsh or fish/);
  });
});
