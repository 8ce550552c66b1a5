import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { selfSigned } from '../unit/http/self-signed.js';
import { fill, playgroundFixture } from './support.js';

const QUERY = 'how do I change my password';
const playground = playgroundFixture();
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe('what goes wrong in the playground', () => {
  it('is that there is no such index', async () => {
    const watched = await playground.open({ index: 'no-such-index' });
    await watched.search(QUERY);
    assert.match(
      await watched.text('#search-error'),
      /^There is no such index\..*no such index \[no-such-index\]/,
    );
    assert.equal(await watched.text('#index-state'), 'There is no such index.');
    await watched.screenshot('no-such-index');
    await watched.settle(() => fill(watched.page, '#index', playground.index));
    assert.equal((await watched.page.$$('.ours li')).length, 10);
    assert.equal(await watched.text('#search-error'), '');
  });

  it('is that the name is none of an index', async () => {
    const watched = await playground.open({ index: '_cluster/settings' });
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /^The search was refused\..*Name an index/);
  });

  it('is that a knob is out of bounds, in the words of the proxy', async () => {
    const watched = await playground.open();
    await fill(watched.page, '#window', '5000');
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /whole number from 1 to 1000/);
  });

  it('is that the engine cannot be reached', async () => {
    const proxy = await playground.moreProxy('http://127.0.0.1:9', '--log-level', 'error');
    const watched = await playground.open({ address: `${proxy.adminUrl}/playground/`, index: 'any' });
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /^The engine cannot be reached\./);
    assert.equal(await watched.text('#index-state'), 'The engine cannot be reached.');
  });

  it('is that the page is left alone by its server', async () => {
    const proxy = await playground.moreProxy(playground.engine.url);
    const watched = await playground.open({ address: `${proxy.adminUrl}/playground/` });
    await proxy.stop();
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /server does not answer/);
  });

  it('is that the model was late, with the order of the engine', async () => {
    const proxy = await playground.moreProxy(playground.engine.url, '--budget', '1', '--log-level', 'error');
    const watched = await playground.open({ address: `${proxy.adminUrl}/playground/` });
    await watched.search(
      'a text that no cache has: how can I put my washing machine into the lift of a high house',
    );
    const reasons: Record<string, RegExp> = {
      'skipped; reason=encode_timeout': /not encoded in time/,
      'skipped; reason=settings_unavailable': /may not read the mapping, or not in time/,
    };
    const words = reasons[await watched.text('#outcome')];
    assert.ok(words, await watched.text('#outcome'));
    assert.match(await watched.text('.verdict'), words);
    assert.deepEqual(await watched.texts('.ours .title'), await watched.texts('.engine .title'));
  });
});

describe('the playground of a proxy', () => {
  it('that listens with a certificate of its own works like any other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinrank-playground-'));
    folders.push(folder);
    const { cert, key } = selfSigned();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    const proxy = await playground.moreProxy(
      playground.engine.url,
      '--tls-cert',
      certFile,
      '--tls-key',
      keyFile,
    );
    assert.match(proxy.url, /^https:/);
    const watched = await playground.open({ address: `${proxy.adminUrl}/playground/` });
    await watched.search(QUERY);
    assert.equal(await watched.text('#verdict'), 'Reranked.');
    await watched.assertClean();
  });

  it('asks for the token of the admin port, where there is one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinrank-playground-'));
    folders.push(folder);
    const file = join(folder, 'token');
    await writeFile(file, 'open-Sesame-0123456789\n');
    const proxy = await playground.moreProxy(playground.engine.url, '--admin-token-file', file);
    const watched = await playground.open({ address: `${proxy.adminUrl}/playground/` });
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /^The admin port wants its token\./);
    await fill(watched.page, '#token', 'open-Sesame-0123456789');
    await watched.settle(() => watched.page.click('#use-credentials'));
    assert.equal(await watched.text('#verdict'), 'Reranked.');
  });

  it('can be left out', async () => {
    const proxy = await playground.moreProxy(playground.engine.url, '--no-playground');
    assert.equal((await fetch(`${proxy.adminUrl}/playground/`)).status, 404);
    assert.equal((await fetch(`${proxy.adminUrl}/playground/api/indices`)).status, 404);
    assert.equal((await fetch(`${proxy.adminUrl}/health/live`)).status, 200);
  });
});
