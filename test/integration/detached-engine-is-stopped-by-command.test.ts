/** Runs the engine command as a user does, with a cache of its own that borrows the jars. */
import assert from 'node:assert/strict';
import { execFile, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { freePorts } from '../../scripts/engine/free-ports.js';
import { PROJECT_ROOT } from '../../scripts/project-root.js';

const USES_ANOTHER =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';

describe('a detached engine', { skip: USES_ANOTHER }, () => {
  let cache: string;
  const commands = new Set<ChildProcess>();
  before(async () => {
    cache = await mkdtemp(join(tmpdir(), 'twinrank-detached-'));
    await mkdir(join(cacheFolder(), 'jars'), { recursive: true });
    await symlink(join(cacheFolder(), 'jars'), join(cache, 'jars'), 'dir');
    // A run that is cut off skips `after`. An engine that starts stops with its command, one that runs with its note.
    process.once('SIGTERM', () => {
      for (const command of commands) command.kill('SIGKILL');
      rmSync(cache, { recursive: true, force: true });
      process.exit(1);
    });
  });
  after(async () => {
    for (const [, port = ''] of (await engine('status')).output.matchAll(/:(\d+)$/gm))
      await engine('stop', '--port', port);
    await rm(cache, { recursive: true, force: true });
  });

  it('outlives its command, is started once, and is gone after stop', async () => {
    assert.deepEqual(await engine('status'), { code: 1, output: 'No detached engine is running.\n' });

    const started = await engine('start', '--detach', '--heap', '256m');
    assert.equal(started.code, 0, started.output);
    const url = /answers at (http:\S+)/.exec(started.output)?.[1] ?? '';
    assert.equal((await fetch(url)).status, 200);
    assert.equal((await engine('status')).code, 0);

    const again = await engine('start', '--detach');
    assert.equal(again.code, 0);
    assert.match(again.output, new RegExp(`${url} already`));

    const { port } = new URL(url);
    const elsewhere = await engine('stop', '--port', '1');
    assert.equal(elsewhere.output, 'No detached engine is running on port 1.\n');
    assert.equal((await fetch(url)).status, 200);

    const other = String((await freePorts(1))[0]);
    assert.equal((await engine('start', '--detach', '--heap', '256m', '--port', other)).code, 0);
    const which = await engine('stop');
    assert.notEqual(which.code, 0);
    assert.match(which.output, /Several detached engines .*say which with --port/);
    const stopped = await engine('stop', '--port', other);
    assert.deepEqual(stopped, {
      code: 0,
      output: `The detached engine at http://127.0.0.1:${other} is stopped.\n`,
    });
    assert.equal((await fetch(url)).status, 200);

    assert.match((await engine('stop')).output, new RegExp(`:${port} is stopped`));
    await assert.rejects(fetch(url));
    assert.equal((await engine('status')).code, 1);
  });

  it('tells why it could not start', async () => {
    const { code, output } = await engine('start', '--detach', '--heap', 'none');
    assert.equal(code, 1);
    assert.match(output, /ended while starting.*Invalid initial heap size/s);
  });

  function engine(...words: readonly string[]): Promise<{ code: number; output: string }> {
    const script = join(PROJECT_ROOT, 'dist', 'scripts', 'engine.js');
    const env = { ...process.env, TWINRANK_CACHE: cache };
    return new Promise((done) => {
      const command = execFile(process.execPath, [script, ...words], { env }, (error, stdout, stderr) => {
        commands.delete(command);
        done({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
      });
      commands.add(command);
    });
  }
});
