/** A secured engine behind the proxy. alice may read the documents of team a in `docs`, and nothing else. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { startEngine, type Engine } from '../../scripts/engine/engine.js';
import { SECURED_USERS, type Credentials } from '../../scripts/engine/engine-table.js';
import { mustSucceed } from '../../scripts/services.js';
import { rawRequest } from '../integration/support/raw-request.js';
import { startWatched, type WatchedService } from '../integration/support/watched-service.js';
import { fill, open, startBrowser, type WatchedPage } from './support.js';

const { admin, alice } = SECURED_USERS;
const QUERY = 'I do not remember my password';
const DOCUMENTS = {
  a1: { team: 'a', title: 'Password manager for phones' },
  a2: { team: 'a', title: 'I forgot my password and cannot sign in' },
  b1: { team: 'b', title: 'My password is not remembered by the browser' },
};

const skip =
  (process.env['OPENSEARCH_URL'] ?? '') === ''
    ? false
    : 'OPENSEARCH_URL names an engine, none is started here.';

describe('the credentials of a viewer', { skip }, () => {
  let engine: Engine;
  let proxy: WatchedService;
  let browser: Browser;
  let address: string;

  before(async () => {
    engine = await startEngine({ version: 'secured' });
    const ca = engine.caFile ?? '';
    const theirs = new URL(engine.url);
    theirs.username = admin.username;
    theirs.password = admin.password;
    const signal = AbortSignal.timeout(60_000);
    for (const index of ['docs', 'payroll']) {
      const apply = [
        'mapping',
        'apply',
        '--to',
        theirs.href,
        '--ca',
        ca,
        '--index',
        index,
        '--text',
        'title',
      ];
      await mustSucceed(apply, 'collect', signal);
    }
    const sidecar = await startWatched('ingest', theirs.href, ['--ca', ca]);
    for (const [id, document] of Object.entries(DOCUMENTS)) {
      const written = await rawRequest({
        url: sidecar.url,
        method: 'PUT',
        path: `/docs/_doc/${id}?refresh=true`,
        headers: { 'content-type': 'application/json', authorization: basic(admin) },
        body: JSON.stringify(document),
      });
      assert.equal(written.status, 201, written.body.toString());
    }
    await sidecar.stop();
    // What the proxy itself may read must not help a viewer, so it may read all.
    proxy = await startWatched('rerank', theirs.href, [
      '--ca',
      ca,
      '--budget',
      '60000',
      '--log-level',
      'debug',
    ]);
    const admins = /admin on (http:\S+)/.exec(proxy.written());
    address = `${admins?.[1]}/playground/`;
    browser = await startBrowser();
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (proxy as WatchedService | undefined)?.stop();
    await (engine as Engine | undefined)?.stop();
  });

  const ids = ({ page }: WatchedPage): Promise<(string | null)[]> =>
    page.$$eval('.ours li', (items) => items.map((item) => item.getAttribute('data-id')));
  async function signIn({ page }: WatchedPage, { username, password }: Credentials): Promise<void> {
    if ((await page.$('#credentials[open]')) === null) await page.click('#credentials summary');
    await fill(page, '#user', username);
    await fill(page, '#password', password);
    await page.click('#use-credentials');
    await page.waitForNetworkIdle({ idleTime: 200 });
  }

  it('are asked for where the engine wants some, and show what they may read', async () => {
    const watched = await open(browser, { address, index: 'docs' });
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /^The engine refuses these credentials\./);
    assert.notEqual(await watched.page.$('#credentials[open]'), null);
    assert.match(await watched.text('#index-state'), /may not be read with these credentials/);
    await watched.settle(() => signIn(watched, alice));
    await fill(watched.page, '#fields', 'title');
    await watched.search(QUERY);
    assert.equal(await watched.text('#verdict'), 'Reranked.');
    assert.deepEqual((await ids(watched)).sort(), ['a1', 'a2']);
    await watched.screenshot('secured');
    await watched.assertClean();
  });

  it('open no other index, though the proxy itself might', async () => {
    const watched = await open(browser, { address, index: 'payroll' });
    await signIn(watched, alice);
    await watched.search(QUERY);
    assert.match(await watched.text('#search-error'), /^These credentials may not do this\./);
    await watched.settle(() => signIn(watched, { ...alice, password: 'wrong-Secret-1' }));
    assert.match(await watched.text('#search-error'), /^The engine refuses these credentials\./);
  });

  it('list the indices where they may', async () => {
    const watched = await open(browser, { address });
    await signIn(watched, admin);
    const names = await watched.page.$$eval('#indices option', (options) =>
      options.map((option) => option.getAttribute('value')),
    );
    assert.deepEqual(names, ['docs', 'payroll']);
    assert.match(await watched.text('#index-state'), /^Set up: title/);
  });

  it('are in no log, no address and no storage', async () => {
    const watched = await open(browser, { address, index: 'docs' });
    await signIn(watched, alice);
    await watched.search(QUERY);
    assert.equal(watched.asked.at(-1)?.headers['x-engine-authorization'], basic(alice));
    const kept = JSON.stringify(
      await watched.page.evaluate('[{ ...localStorage }, { ...sessionStorage }, document.cookie]'),
    );
    const addresses = watched.asked.map(({ url }) => url.href).join(' ');
    for (const secret of [alice.password, basic(alice).slice('Basic '.length)])
      for (const text of [proxy.written(), kept, addresses]) assert.ok(!text.includes(secret));
    await watched.page.reload({ waitUntil: 'networkidle0' });
    assert.equal(await watched.page.$eval('#password', (field) => field.value), '');
  });
});

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
