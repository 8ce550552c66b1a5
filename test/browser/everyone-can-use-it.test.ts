import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessibilityProblems, playgroundFixture, type WatchedPage } from './support.js';

const QUERY = 'how long until I get my money back';
const playground = playgroundFixture();

const background = ({ page }: WatchedPage): Promise<unknown> =>
  page.evaluate('getComputedStyle(document.body).backgroundColor');
const focused = ({ page }: WatchedPage): Promise<unknown> =>
  page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()');

describe('the playground', () => {
  it('speaks the language of the browser, and the one that is chosen, from then on', async () => {
    const watched = await playground.open({ language: 'zh-CN' });
    assert.equal(await watched.page.$eval('html', (html) => html.lang), 'zh-CN');
    await watched.search(QUERY);
    assert.equal(await watched.text('#search-form button'), '搜索');
    assert.equal(await watched.text('#verdict'), '已重排。');
    await watched.screenshot('search-chinese');
    await watched.page.select('#language', 'en');
    assert.equal(await watched.page.$eval('html', (html) => html.lang), 'en');
    assert.equal(await watched.text('#search-form button'), 'Search');
    assert.equal(await watched.text('#verdict'), 'Reranked.');
    assert.match(await watched.text('#index-state'), /^Set up: title/);
    await watched.page.reload({ waitUntil: 'networkidle0' });
    assert.equal(await watched.text('#search-form button'), 'Search');
    const chinese = await watched.page.$$eval(
      'body *',
      (elements) =>
        elements.filter(
          (element) => element.children.length === 0 && /\p{Script=Han}/u.test(element.textContent ?? ''),
        ).length,
    );
    assert.equal(chinese, 1, 'nothing but the name of the language is Chinese now');
    await watched.assertClean();
  });

  it('is light or dark as the system is, or as is chosen', async () => {
    const light = await playground.open({ scheme: 'light' });
    const dark = await playground.open({ scheme: 'dark' });
    const [white, black] = [await background(light), await background(dark)];
    assert.notEqual(white, black);
    await light.page.select('#theme', 'dark');
    assert.equal(await background(light), black);
    await dark.page.select('#theme', 'light');
    assert.equal(await background(dark), white);
    await light.search(QUERY);
    await light.screenshot('search-dark');
  });

  it('can be used with the keyboard alone', async () => {
    const watched = await playground.open();
    const { page } = watched;
    const tabTo = async (id: string): Promise<void> => {
      for (let i = 0; i < 40 && (await focused(watched)) !== id; i++) await page.keyboard.press('Tab');
      assert.equal(await focused(watched), id);
    };
    // From the top, as in a page that has just been opened.
    await page.evaluate(
      'document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")',
    );
    await page.keyboard.press('Tab');
    assert.equal(await focused(watched), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(watched), 'query');
    await page.keyboard.type(QUERY);
    await watched.settle(() => page.keyboard.press('Enter'));
    assert.equal((await page.$$('.ours li')).length, 10);
    await page.focus('#index');
    await tabTo('enabled');
    await watched.settle(() => page.keyboard.press('Space'));
    assert.equal(await watched.text('#verdict'), 'Not reranked.');
    await tabTo('shown');
    await watched.settle(() => page.keyboard.press('ArrowUp'));
    assert.equal((await page.$$('.ours li')).length, 5);
    await tabTo('explain');
    // What has the focus can be seen to have it.
    assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
  });

  it('says each row in words, in lists with names', async () => {
    const watched = await playground.open();
    await watched.search(QUERY);
    const tree = JSON.stringify(await watched.page.accessibility.snapshot({ interestingOnly: false }));
    for (const name of ["Engine's order", 'With twinrank', 'What happened', 'Time', 'Settings', 'Views'])
      assert.ok(tree.includes(`"name":${JSON.stringify(name)}`), name);
    const row = await watched.page.$eval('.ours li', (item) => item.textContent);
    assert.match(row ?? '', /probability 0\.\d{3}.*(was \d+|unmoved)$/);
    assert.equal(
      await watched.page.$eval('#search-status', (status) => status.getAttribute('role')),
      'status',
    );
  });

  it('passes the accessibility rules of axe, in both views, languages and appearances', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const watched = await playground.open({ scheme, language: scheme === 'dark' ? 'zh' : 'en' });
      await watched.search(QUERY);
      await watched.page.click('#credentials summary');
      await watched.settle(() => watched.page.click('#explain'));
      assert.deepEqual(await accessibilityProblems(watched.page), [], `${scheme}, search`);
      await watched.page.click('nav a[href="#judged"]');
      await watched.page.$eval('#queries', (area) => {
        area.value = 'a\thow long until I get my money back\nb\tlost parcel';
      });
      await watched.page.$eval('#qrels', (area) => {
        area.value = 'a en-018 1\nb en-001 1';
      });
      await watched.page.click('#measure');
      await watched.page.waitForSelector('#metrics');
      assert.deepEqual(await accessibilityProblems(watched.page), [], `${scheme}, judged`);
    }
  });

  it('fits on a small screen', async () => {
    const watched = await playground.open();
    await watched.page.setViewport({ width: 380, height: 800 });
    await watched.search(QUERY);
    const wide = await watched.page.evaluate('document.documentElement.scrollWidth');
    assert.equal(wide, 380);
    await watched.screenshot('search-small');
    assert.deepEqual(await accessibilityProblems(watched.page), []);
  });
});
