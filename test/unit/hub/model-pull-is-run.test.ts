/** `twinrank model pull` as a program: environment, exit codes, what goes to which stream, several processes. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadBundle } from '../../../src/model/bundle.js';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import { startForwardProxy, type ForwardProxy } from './forward-proxy.js';
import { COMMIT, ENCODER_BYTES, playground, REPOSITORY, smallBundle, type Playground } from './fixtures.js';

const PROGRAM = new URL('../../../src/cli/main.js', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('twinrank model pull', () => {
  let ground: Playground;
  const proxies: ForwardProxy[] = [];
  beforeEach(async () => {
    ground = await playground();
  });
  afterEach(async () => {
    await ground.cleanUp();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });

  const start = (args: readonly string[], env: Record<string, string>, action = 'pull'): ChildProcess =>
    spawn(process.execPath, [PROGRAM, 'model', action, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A home of its own: no token and no cache of the user's.
      env: { PATH: process.env['PATH'], HOME: ground.root, ...env },
    });

  const ended = async (child: ChildProcess): Promise<Ended> => {
    const parts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => (parts[name] += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...parts };
  };

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    ended(start(args, env));

  const proxy = async (credentials?: string): Promise<ForwardProxy> => {
    const started = await startForwardProxy(credentials);
    proxies.push(started);
    return started;
  };

  it('prints the folder alone on standard output, below the user cache', async () => {
    const hub = await ground.hub();
    const { code, stdout, stderr } = await run([REPOSITORY], { HF_ENDPOINT: hub.url });
    assert.equal(stderr, `a-bundle 2.1.0, licence MIT, commit ${COMMIT}: 5 files fetched, verified.\n`);
    assert.equal(stdout, `${join(ground.root, '.cache/twinrank/models/someone--a-bundle', COMMIT)}\n`);
    assert.equal(code, 0);
    assert.equal((await loadBundle(stdout.trim())).manifest.name, 'a-bundle');
  });

  it('fetches the bundle that comes with twinrank as it is', async () => {
    const folder = defaultBundleFolder();
    const names = await readdir(folder);
    const files = new Map(
      await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
    );
    const hub = await ground.hub({ files });
    const { code, stdout } = await run([REPOSITORY, '--json', '--endpoint', hub.url, '--cache', ground.root]);
    assert.equal(code, 0);
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    const { event, name, files_fetched: fetched, folder: there, commit } = summary;
    assert.deepEqual(
      { event, name, fetched, commit },
      { event: 'summary', name: 'zh-en-small', fetched: 6, commit: COMMIT },
    );
    const pulled = await loadBundle(String(there));
    assert.equal(pulled.fingerprint, (await loadBundle(folder)).fingerprint);
  });

  it('without an endpoint says that none is built in', async () => {
    const { code, stderr } = await run([REPOSITORY]);
    assert.match(stderr, /No Hub is named, and none is built in\..*--endpoint.*HF_ENDPOINT/);
    assert.equal(code, 2);
  });

  for (const [what, args, message] of [
    ['no repository', [], /repository|positional|argument/i],
    [
      'a name that is none',
      ['a/b/c'],
      /REPO\[@REV\]: expected a repository such as OWNER\/NAME, got "a\/b\/c"/,
    ],
    ['a name that leads out of the cache', ['../..'], /expected a repository/],
    ['a revision that is none', ['a/b@'], /expected a branch, a tag or a commit/],
    [
      'a password in the endpoint',
      ['a/b', '--endpoint', 'http://u:hunter2@h'],
      /without user and password.*HF_TOKEN/,
    ],
  ] as const) {
    it(`${what}: exit 2 and one line`, async () => {
      const { code, stderr } = await run(args);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter2/);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.equal(code, 2);
    });
  }

  it('takes the token of HF_TOKEN before the one of the token file, and shows neither', async () => {
    const hub = await ground.hub({ token: 'hf_right' });
    const file = join(ground.root, '.cache/huggingface/token');
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'hf_wrong\n');
    const refused = await run([REPOSITORY], { HF_ENDPOINT: hub.url });
    assert.equal(refused.code, 1);
    assert.doesNotMatch(refused.stderr, /hf_wrong/);
    assert.equal((await run([REPOSITORY], { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_right' })).code, 0);
    await writeFile(join(ground.root, 'token'), 'hf_right\n');
    for (const env of [{ HF_TOKEN_PATH: join(ground.root, 'token') }, { HF_HOME: ground.root }])
      assert.equal((await run([REPOSITORY], { HF_ENDPOINT: hub.url, ...env })).code, 0);
  });

  it('offline gives what was pulled, and asks nobody', async () => {
    const hub = await ground.hub();
    const first = await run([REPOSITORY], { HF_ENDPOINT: hub.url });
    const asked = hub.seen.length;
    for (const [args, env] of [
      [[REPOSITORY, '--offline'], { HF_ENDPOINT: hub.url }],
      [[REPOSITORY], { HF_HUB_OFFLINE: 'YES' }],
    ] as const)
      assert.equal((await run(args, env)).stdout, first.stdout);
    assert.equal(hub.seen.length, asked);
    const other = await run(['someone/else'], { HF_HUB_OFFLINE: '1' });
    assert.match(other.stderr, /not in the cache.*HF_HUB_OFFLINE/);
    assert.equal(other.code, 1);
  });

  it('goes through the proxy of the environment, but not to the hosts of NO_PROXY', async () => {
    const hub = await ground.hub();
    const { url, asked } = await proxy();
    const env = { HF_ENDPOINT: hub.url, http_proxy: url };
    const direct = await run([REPOSITORY], { ...env, NO_PROXY: '127.0.0.1' });
    assert.equal(direct.code, 0);
    assert.equal(asked.length, 0);
    const { code } = await run([REPOSITORY, '--cache', join(ground.root, 'other')], env);
    assert.equal(code, 0);
    assert.ok(asked.includes(`GET ${hub.url}/someone/a-bundle/resolve/${COMMIT}/manifest.json`));
    assert.ok(asked.some((line) => line.startsWith(`GET ${hub.storageUrl}/`)));
  });

  it('brings the password of the proxy, and names a missing one without showing the wrong one', async () => {
    const hub = await ground.hub();
    const { url } = await proxy('user:right');
    const env = (credentials: string): Record<string, string> => {
      return { HF_ENDPOINT: hub.url, HTTP_PROXY: url.replace('//', `//${credentials}@`) };
    };
    const refused = await run([REPOSITORY], env('user:wrong'));
    assert.match(refused.stderr, /The proxy asks for a user and a password/);
    assert.doesNotMatch(refused.stderr, /wrong/);
    assert.equal(refused.code, 1);
    assert.equal((await run([REPOSITORY], env('user:right'))).code, 0);
  });

  it('asks a proxy for a tunnel to an https endpoint, and says when there is none', async () => {
    const { url, asked } = await proxy();
    const { code, stderr } = await run([REPOSITORY], {
      HF_ENDPOINT: 'https://hub.invalid',
      HTTPS_PROXY: url,
    });
    assert.match(stderr, /The proxy refuses the connection to https:\/\/hub\.invalid \(403\).*NO_PROXY/);
    assert.equal(code, 1);
    assert.deepEqual(asked, ['CONNECT hub.invalid:443']);
  });

  it('by two processes at once fetches once, and both print the folder', async () => {
    const hub = await ground.hub();
    const both = await Promise.all([1, 2].map(() => run([REPOSITORY], { HF_ENDPOINT: hub.url })));
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(both[0]?.stdout, both[1]?.stdout);
    assert.equal(hub.fileRequests('onnx/encoder.onnx').length, 1);
  });

  it('that was killed is gone on with at once', async () => {
    let stalled = false;
    const hub = await ground.hub({
      fault: ({ server, url }, response) => {
        if (stalled || server === 'hub' || !url.includes('encoder')) return false;
        stalled = true;
        response.writeHead(200, { 'content-length': ENCODER_BYTES, etag: `"storage-${ENCODER_BYTES}"` });
        response.write(
          smallBundle()
            .get('onnx/encoder.onnx')
            ?.subarray(0, ENCODER_BYTES / 2),
        );
        return true;
      },
    });
    const child = start([REPOSITORY], { HF_ENDPOINT: hub.url });
    const part = join(
      ground.root,
      `.cache/twinrank/models/someone--a-bundle/parts/${COMMIT}/onnx/encoder.onnx.part`,
    );
    const size = async (): Promise<number> => (await stat(part).catch(() => null))?.size ?? 0;
    while (child.exitCode === null && (await size()) < ENCODER_BYTES / 2) await delay(20);
    const killed = ended(child);
    child.kill('SIGKILL');
    await killed;
    const listed = async (): Promise<boolean> => {
      const { stdout } = await ended(start(['--json'], {}, 'list'));
      assert.match(stdout, /zh-en-small/);
      return stdout.includes('"a-bundle"');
    };
    assert.equal(await listed(), false);
    const { code } = await run([REPOSITORY], { HF_ENDPOINT: hub.url });
    assert.equal(code, 0);
    assert.equal(hub.fileRequests('onnx/encoder.onnx').at(-1)?.headers.range, `bytes=${ENCODER_BYTES / 2}-`);
    assert.equal(await listed(), true);
  });

  it('that is interrupted says so and exits with 1', async () => {
    const hub = await ground.hub({ fault: ({ server }) => server === 'storage' });
    const child = start([REPOSITORY], { HF_ENDPOINT: hub.url });
    const end = ended(child);
    while (child.exitCode === null && hub.seen.every(({ server }) => server === 'hub')) await delay(20);
    child.kill('SIGINT');
    const { code, stderr } = await end;
    assert.match(stderr, /Interrupted\. The same command goes on where it stopped/);
    assert.equal(code, 1);
  });
});
