/** Starts engines of its own, because it kills them. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine } from '../../scripts/engine/engine.js';
import { PROJECT_ROOT } from '../../scripts/project-root.js';

const SMALL = '256m';
const USES_ANOTHER =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';
const ONLY_WITH_PROC = { skip: process.platform !== 'linux' };

describe('the local engine', { skip: USES_ANOTHER }, () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'twinrank-engine-'))));
  after(async () => rm(folder, { recursive: true, force: true }));

  it('ends when its parent is killed while it runs', async (t) => {
    const parent = spawnParent(t);
    const engine = await announced(parent);
    assert.equal((await fetch(engine.url)).status, 200);
    parent.kill('SIGKILL');
    await eventually(async () => !(await isRunning(engine.pid)));
    await assert.rejects(fetch(engine.url));
  });

  it('ends when its parent is killed while it starts', ONLY_WITH_PROC, async (t) => {
    const parent = spawnParent(t);
    const pid = await eventually(() => javaChildOf(parent));
    parent.kill('SIGKILL');
    await eventually(async () => !(await isRunning(pid)));
  });

  it('keeps the data of a given folder from one start to the next', async () => {
    const dataDir = join(folder, 'data');
    const first = await startEngine({ heap: SMALL, dataDir });
    const made = await fetch(`${first.url}/kept/_doc/1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"title":"kept"}',
    });
    await first.stop();
    assert.equal(made.status, 201);
    assert.equal(await isRunning(first.pid), false);
    const second = await startEngine({ heap: SMALL, dataDir });
    try {
      assert.equal((await fetch(`${second.url}/kept/_doc/1`)).status, 200);
    } finally {
      await second.stop();
    }
  });

  it('says so when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await assert.rejects(startEngine({ heap: SMALL, port }), /cannot have port \d+ \(EADDRINUSE\)/);
    } finally {
      server.close();
    }
  });

  it('shows the end of its log when a setting stops it', async () => {
    const settings = { 'no.such.setting': '1' };
    await assert.rejects(startEngine({ heap: SMALL, settings }), /unknown setting \[no\.such\.setting\]/);
  });

  it('gives up a start that is cancelled', async () => {
    await assert.rejects(startEngine({ heap: SMALL, signal: AbortSignal.timeout(500) }), {
      name: 'TimeoutError',
    });
  });
});

function spawnParent(t: TestContext): ChildProcess {
  const launcher = new URL('../../scripts/engine/engine.js', import.meta.url).href;
  // It must not outlive this test either, should the run be cut off.
  const program = `
    process.stdin.resume().once('end', () => process.exit());
    const { startEngine } = await import(${JSON.stringify(launcher)});
    const { url, pid } = await startEngine({ heap: '${SMALL}' });
    console.log(JSON.stringify({ url, pid }));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: PROJECT_ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => parent.kill('SIGKILL'));
  return parent;
}

async function announced(parent: ChildProcess): Promise<{ url: string; pid: number }> {
  assert.ok(parent.stdout);
  for await (const line of createInterface({ input: parent.stdout })) {
    return JSON.parse(line) as { url: string; pid: number };
  }
  throw new Error('The parent ended before its engine was there.');
}

/** The Java process with this parent, found in /proc where there is one. */
async function javaChildOf(parent: ChildProcess): Promise<number | undefined> {
  const children = await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').catch(() => '');
  for (const pid of children.trim().split(' ').map(Number)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('Launcher.java')) return pid;
  }
  return undefined;
}

/** A process that has ended and that nobody has waited for is still listed, as a zombie. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) [ZX] /.test(stat);
}

/** Polls until the answer is neither undefined nor false. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 600; i += 1) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await sleep(50);
  }
  throw new Error('Waited 30 s in vain.');
}
