/** A pull brings the files of the bundle and no others, once, and keeps the token from the hosts it is sent on to. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { cachedBundle } from '../../../src/hub/pull-bundle.js';
import { parseReference } from '../../../src/hub/reference.js';
import { COMMIT, playground, REPOSITORY, smallBundle, type Playground } from './fixtures.js';

describe('a pull', () => {
  let ground: Playground;
  beforeEach(async () => {
    ground = await playground();
  });
  afterEach(() => ground.cleanUp());

  const filesIn = async (folder: string): Promise<string[]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  };

  it('fetches what the manifest names, byte for byte, and nothing else', async () => {
    const hub = await ground.hub();
    const { bundle, commit, fetched } = await ground.pull(hub.url);
    assert.equal(commit, COMMIT);
    assert.equal(fetched, 5);
    assert.equal(bundle.folder, join(ground.root, 'someone--a-bundle', COMMIT));
    assert.deepEqual(await filesIn(bundle.folder), [
      'encoder.onnx',
      'golden.json',
      'head.json',
      'manifest.json',
      'tokenizer.json',
    ]);
    const encoder = await readFile(join(bundle.folder, 'onnx/encoder.onnx'));
    assert.ok(encoder.equals(smallBundle().get('onnx/encoder.onnx') ?? Buffer.alloc(0)));
    assert.deepEqual((await readdir(join(ground.root, 'someone--a-bundle'))).sort(), [
      COMMIT,
      'parts',
      'refs',
    ]);
    assert.deepEqual(await readdir(join(ground.root, 'someone--a-bundle/parts')), []);
  });

  it('takes every file from the commit that the revision stood for at the start', async () => {
    const hub = await ground.hub();
    await ground.pull(hub.url, { name: `${REPOSITORY}@feature/one` });
    const urls = hub.seen.filter(({ server }) => server === 'hub').map(({ url }) => url);
    assert.equal(urls[0], `/api/models/${REPOSITORY}/revision/feature%2Fone?blobs=true`);
    assert.ok(urls.slice(1).every((url) => url.startsWith(`/${REPOSITORY}/resolve/${COMMIT}/`)));
  });

  it('shows the token to the Hub and never to the host that it sends on to', async () => {
    const hub = await ground.hub({ token: 'hf_secret' });
    await ground.pull(hub.url, { token: 'hf_secret' });
    const atStorage = hub.seen.filter(({ server }) => server === 'storage');
    assert.equal(atStorage.length, 2);
    assert.ok(atStorage.every(({ headers }) => headers.authorization === undefined));
    const atHub = hub.seen.filter(({ server }) => server === 'hub');
    assert.ok(atHub.every(({ headers }) => headers.authorization === 'Bearer hf_secret'));
  });

  it('keeps the path of the endpoint, as a mirror below a path needs it', async () => {
    const hub = await ground.hub({
      fault: ({ server, url }, response) => {
        if (server === 'storage' || !url.startsWith('/mirror/hf/')) return false;
        response.writeHead(307, { location: url.replace('/mirror/hf', '') }).end();
        return true;
      },
    });
    await ground.pull(`${hub.url}/mirror/hf/`);
    assert.ok(hub.seen.some(({ url }) => url.startsWith('/mirror/hf/api/models/')));
  });

  it('works with a mirror that lists names only, and still proves every hash', async () => {
    const hub = await ground.hub({ blobs: false });
    assert.equal((await ground.pull(hub.url)).fetched, 5);
  });

  it('that was done before asks for the revision and fetches no file', async () => {
    const hub = await ground.hub();
    await ground.pull(hub.url);
    hub.seen.length = 0;
    assert.equal((await ground.pull(hub.url)).fetched, 0);
    assert.equal(hub.seen.length, 1);
  });

  it('of a whole commit that was done before needs no Hub', async () => {
    const hub = await ground.hub();
    await ground.pull(hub.url);
    assert.equal((await ground.pull('http://127.0.0.1:1', { name: `${REPOSITORY}@${COMMIT}` })).fetched, 0);
  });

  it('mends a bundle that was damaged in the cache', async () => {
    const hub = await ground.hub();
    const { bundle } = await ground.pull(hub.url);
    await writeFile(join(bundle.folder, 'tokenizer.json'), 'damaged');
    assert.equal((await ground.pull(hub.url)).fetched, 5);
  });

  it('tells its progress up to the last byte', async () => {
    const hub = await ground.hub();
    const seen: (readonly [number, number])[] = [];
    await ground.pull(hub.url, { onProgress: (done, total) => seen.push([done, total]) });
    const needed = [...smallBundle()].filter(([path]) => !/README|safetensors/.test(path));
    const bytes = needed.reduce((sum, [, file]) => sum + file.length, 0);
    assert.deepEqual(seen.at(-1), [bytes, bytes]);
    assert.ok(seen.every(([done], n) => done >= (seen[n - 1]?.[0] ?? 0)));
  });

  it('by several at once is done by one, and all get the bundle', async () => {
    const hub = await ground.hub();
    const told: string[] = [];
    const pulled = await Promise.all([1, 2, 3].map(() => ground.pull(hub.url, { told })));
    assert.deepEqual(pulled.map(({ fetched }) => fetched).sort(), [0, 0, 5]);
    assert.equal(hub.fileRequests('onnx/encoder.onnx').length, 1);
    assert.ok(told.some((message) => message.includes('another process')));
  });

  it('goes on where a process was killed that had held the lock', async () => {
    const hub = await ground.hub();
    await mkdir(join(ground.root, 'someone--a-bundle'), { recursive: true });
    const lock = join(ground.root, 'someone--a-bundle', `${COMMIT}.lock`);
    await writeFile(lock, JSON.stringify({ host: 'another-machine', pid: 1, token: 'x' }));
    assert.equal((await ground.pull(hub.url, { staleMs: 100 })).fetched, 5);
  });

  it('that is done gives the bundle offline by branch and by commit', async () => {
    const hub = await ground.hub();
    const { bundle } = await ground.pull(hub.url);
    for (const name of [REPOSITORY, `${REPOSITORY}@${COMMIT}`])
      assert.equal((await cachedBundle(ground.root, parseReference(name))).bundle.folder, bundle.folder);
  });

  it('that is not done offline says what is there', async () => {
    const hub = await ground.hub();
    await ground.pull(hub.url);
    await assert.rejects(
      cachedBundle(ground.root, parseReference(`${REPOSITORY}@v2`)),
      new RegExp(`someone/a-bundle@v2: this is not in the cache .*these are: ${COMMIT}, main.*--offline`),
    );
    await rm(ground.root, { recursive: true, force: true });
    await assert.rejects(cachedBundle(ground.root, parseReference('a/b')), /no revision of it is/);
  });
});
