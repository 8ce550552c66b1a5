/**
 * The playground in a real browser: the help centre in the real engine, both services as processes of their own, and
 * pages that keep what they ask for and what goes wrong in them.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { PROJECT_ROOT } from '../../scripts/project-root.js';
import { mustSucceed, startService, type RunningService } from '../../scripts/services.js';
import { engineFixture, type EngineFixture } from '../integration/support/engine.js';

export const HELP_CENTRE = join(PROJECT_ROOT, 'examples/help-centre');
const SCREENSHOTS = join(PROJECT_ROOT, 'artifacts/browser');
const LIMIT_MS = 120_000;

export interface Playground {
  readonly engine: EngineFixture;
  readonly index: string;
  readonly proxy: string;
  /** Address of the page. */
  readonly address: string;
  /** A page on the playground, with the index chosen. */
  open(options?: OpenOptions): Promise<WatchedPage>;
  /** One more proxy; stopped at the end. */
  moreProxy(upstream: string, ...args: readonly string[]): Promise<RunningService>;
}

export interface OpenOptions {
  readonly address?: string;
  readonly index?: string;
  readonly language?: string;
  readonly scheme?: 'light' | 'dark';
}

export interface WatchedPage {
  readonly page: Page;
  /** Requests in the order in which they left. */
  readonly asked: { readonly url: URL; readonly headers: Record<string, string>; readonly body: string }[];
  /** Types a query, sends it with Enter and waits for what comes. */
  search(text: string): Promise<void>;
  /** Changes a setting and waits until the search that follows is shown. */
  settle(change: () => Promise<unknown>): Promise<void>;
  /** Text of the first element. */
  text(selector: string): Promise<string>;
  texts(selector: string): Promise<string[]>;
  screenshot(name: string, wholePage?: boolean): Promise<void>;
  /** Fails where the page has asked another host, broken its policy or thrown. */
  assertClean(): Promise<void>;
}

/** The help centre behind a proxy, and a browser, for the tests of the file that calls this. */
export function playgroundFixture(): Playground {
  const engine = engineFixture();
  const playground = { engine } as { -readonly [K in keyof Playground]: Playground[K] };
  const services: RunningService[] = [];
  let browser: Browser | undefined;
  const signal = AbortSignal.timeout(LIMIT_MS * 3);
  playground.moreProxy = async (upstream, ...args) => {
    // A cold, shared test machine must not turn a slow encode into another order.
    const own = args.includes('--budget') ? [] : ['--budget', '60000'];
    const proxy = await startService('rerank', ['--upstream', upstream, ...own, ...args], signal);
    services.push(proxy);
    return proxy;
  };
  before(async () => {
    const index = engine.index('playground');
    const sidecar = await startService('ingest', ['--upstream', engine.url], signal);
    services.push(sidecar);
    await engine.call('PUT', `/${index}`, {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: { properties: { title: { type: 'text', analyzer: 'cjk' } } },
    });
    const { url } = engine;
    await mustSucceed(
      ['mapping', 'apply', '--to', url, '--index', index, '--text', 'title'],
      'collect',
      signal,
    );
    const corpus = join(HELP_CENTRE, 'corpus.jsonl');
    await mustSucceed(['load', corpus, '--to', sidecar.url, '--index', index], 'collect', signal);
    await engine.call('POST', `/${index}/_refresh`);
    const proxy = await playground.moreProxy(url);
    browser = await startBrowser();
    playground.index = index;
    playground.proxy = proxy.url;
    playground.address = `${proxy.adminUrl}/playground/`;
    playground.open = (options = {}) => open(browser, { address: playground.address, index, ...options });
  });
  after(async () => {
    await browser?.close();
    await Promise.all(services.map((service) => service.stop()));
    await engine.cleanUp();
  });
  return playground;
}

/** Headless, without a sandbox: tests run as root in containers, and the page is our own. */
export function startBrowser(): Promise<Browser> {
  const executablePath = process.env['TWINRANK_TEST_BROWSER'];
  assert.ok(
    executablePath,
    'TWINRANK_TEST_BROWSER names no browser. Run these tests with `npm run test:browser`.',
  );
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en'];
  return puppeteer.launch({ executablePath, headless: true, args });
}

export async function open(
  browser: Browser | undefined,
  { address = '', index = '', language = 'en-GB', scheme = 'light' }: OpenOptions,
): Promise<WatchedPage> {
  assert.ok(browser);
  // A context of its own has a storage of its own.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.setViewport({ width: 1360, height: 900 });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);
  await page.evaluateOnNewDocument(`
    Object.defineProperty(navigator, 'languages', { value: [${JSON.stringify(language)}] });
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
  `);
  const asked: WatchedPage['asked'] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    asked.push({ url: new URL(request.url()), headers: request.headers(), body: request.postData() ?? '' });
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // A refused search is an error on the console in itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text());
  });
  await page.goto(address, { waitUntil: 'networkidle0' });
  if (index !== '') await fill(page, '#index', index);
  await page.waitForNetworkIdle({ idleTime: 100 });
  const shown = '#search-view:not([aria-busy]) :is(#result > *, #search-error > *)';
  const watched: WatchedPage = {
    page,
    asked,
    async search(text) {
      await fill(page, '#query', text);
      await page.focus('#query');
      await watched.settle(() => page.keyboard.press('Enter'));
    },
    async settle(change) {
      await page.evaluate(`document.querySelector('#search-status').dataset.old = '1';
        document.querySelector('#result').replaceChildren(); document.querySelector('#search-error').replaceChildren();`);
      await change();
      await page.waitForSelector(shown);
    },
    text: (selector) => page.$eval(selector, (element) => element.textContent?.trim() ?? ''),
    texts: (selector) =>
      page.$$eval(selector, (elements) => elements.map((element) => element.textContent?.trim() ?? '')),
    async screenshot(name, wholePage = false) {
      await mkdir(SCREENSHOTS, { recursive: true });
      await page.screenshot({
        path: join(SCREENSHOTS, `${name}.png`) as `${string}.png`,
        fullPage: wholePage,
      });
    },
    async assertClean() {
      const own = new URL(address).host;
      assert.deepEqual(
        asked.map(({ url }) => url).filter(({ host }) => host !== own),
        [],
      );
      assert.deepEqual(await page.evaluate('window.violations'), []);
      assert.deepEqual(errors, []);
    },
  };
  return watched;
}

/** Replaces a field's value, as a person does who leaves the field afterwards. */
export async function fill(page: Page, selector: string, text: string): Promise<void> {
  await page.click(selector, { count: 3 });
  await page.keyboard.press('Backspace');
  if (text !== '') await page.type(selector, text);
  await page.$eval(selector, (element) => {
    element.dispatchEvent(new Event('change', { bubbles: true }));
  });
}

/** axe's findings, in one line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const axe = await readFile(join(PROJECT_ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as {
    readonly violations: readonly {
      id: string;
      nodes: readonly { html: string; failureSummary: string }[];
    }[];
  };
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`),
  );
}
