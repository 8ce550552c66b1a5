import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mustSucceed } from '../../scripts/services.js';
import type { EvaluationReport } from '../../src/evaluate/report.js';
import { HELP_CENTRE, playgroundFixture, type WatchedPage } from './support.js';

const QUERIES = join(HELP_CENTRE, 'queries.jsonl');
const QRELS = join(HELP_CENTRE, 'qrels.tsv');
const playground = playgroundFixture();

async function openJudged(): Promise<WatchedPage> {
  const watched = await playground.open();
  await watched.page.click('nav a[href="#judged"]');
  return watched;
}

async function give(watched: WatchedPage, field: 'queries' | 'qrels', file: string): Promise<void> {
  const chooser = await watched.page.$(`#${field}-file`);
  await (chooser as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(file);
  const text = await readFile(file, 'utf8');
  await watched.page.waitForFunction(
    `document.querySelector('#${field}').value.length >= ${text.trimEnd().length}`,
  );
}

/** As a person pastes it. */
function paste({ page }: WatchedPage, field: 'queries' | 'qrels', text: string): Promise<void> {
  return page.$eval(
    `#${field}`,
    (area, value) => {
      area.value = value;
    },
    text,
  );
}

async function measure({ page }: WatchedPage): Promise<void> {
  await page.click('#measure');
  await page.waitForSelector('#metrics, #judged-error > *', { timeout: 120_000 });
}

const cells = ({ page }: WatchedPage, name: string): Promise<string[]> =>
  page.$$eval(`tr[data-metric="${name}"] td`, (found) => found.map((cell) => cell.textContent ?? ''));

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

describe('judged queries in the playground', () => {
  it('have the figures that twinrank eval has for the same files', async () => {
    const { engine, proxy, index } = playground;
    const files = ['--queries', QUERIES, '--qrels', QRELS];
    const to = ['--engine', engine.url, '--proxy', proxy, '--index', index];
    const printed = await mustSucceed(
      ['eval', ...to, ...files, '--json'],
      'collect',
      AbortSignal.timeout(120_000),
    );
    const report = JSON.parse(printed) as EvaluationReport;
    const watched = await openJudged();
    await give(watched, 'queries', QUERIES);
    await give(watched, 'qrels', QRELS);
    await measure(watched);
    assert.equal(report.metrics.length, (await watched.page.$$('#metrics tbody tr')).length);
    for (const {
      name,
      engine: before,
      twinrank,
      difference,
      interval,
      wins,
      losses,
      ties,
    } of report.metrics) {
      assert.deepEqual(
        await cells(watched, name),
        [
          before.toFixed(4),
          twinrank.toFixed(4),
          signed(difference),
          `${signed(interval.low)} … ${signed(interval.high)}`,
          `${wins} / ${losses} / ${ties}`,
        ],
        name,
      );
    }
    const ndcg = report.metrics.find(({ name }) => name === 'nDCG@10');
    assert.ok(ndcg);
    assert.ok(ndcg.difference > 0.1, 'reranking must have done something for this to be a comparison');
    const headline = await watched.text('.figure');
    assert.match(headline, new RegExp(`${ndcg.wins} won, ${ndcg.losses} lost, ${ndcg.ties} tied`));
    assert.match(await watched.text('#judged-status'), new RegExp(`^${report.queries} queries measured`));
    await watched.screenshot('judged', true);
    await watched.assertClean();
  });

  it('lead to both orders of a query, with the grades, and back', async () => {
    const watched = await openJudged();
    await give(watched, 'queries', QUERIES);
    await paste(watched, 'qrels', await readFile(QRELS, 'utf8'));
    await measure(watched);
    await watched.page.select('#sort', 'gain');
    const rows = await watched.texts('#per-query tbody tr td:last-child');
    const differences = rows.map((row) => Number(row.replace(/^\D*([−+])/, '$1').replace('−', '-')));
    assert.deepEqual(
      differences,
      [...differences].sort((a, b) => b - a),
    );
    const query = await watched.text('#per-query tbody button');
    await watched.settle(() => watched.page.click('#per-query tbody button'));
    assert.equal(await watched.page.$eval('#query', (field) => field.value), query);
    assert.match(await watched.text('.note'), /nDCG@10 [\d.]+ to [\d.]+/);
    const best = await watched.text('.ours li .grade');
    assert.match(best, /^grade [12]$/);
    await watched.screenshot('judged-query');
    await watched.page.click('.note a');
    await watched.page.waitForSelector('#judged-view:not([hidden])');
    assert.equal((await watched.texts('#per-query tbody tr')).length, rows.length);
  });

  it('are taken in the forms that eval takes, and a line that cannot be read is named', async () => {
    const watched = await openJudged();
    await paste(watched, 'queries', 'q-en-01\tcan I get into my account without the password\n');
    await paste(watched, 'qrels', 'q-en-01 0 en-018 1\n');
    await measure(watched);
    assert.match(await watched.text('#judged-status'), /^1 queries measured/);
    await paste(watched, 'qrels', 'q-en-01 0 en-018 1\nnot a judgment at all\n');
    await watched.page.click('#measure');
    await watched.page.waitForSelector('#judged-error > *');
    assert.match(await watched.text('#judged-error'), /judgments:2: expected/);
  });

  it('are left when the viewer stops them', async () => {
    const watched = await openJudged();
    await give(watched, 'queries', QUERIES);
    await give(watched, 'qrels', QRELS);
    await watched.page.click('#measure');
    await watched.page.waitForSelector('#stop:not([hidden])');
    await watched.page.$eval('#stop', (button) => button.click());
    await watched.page.waitForSelector('#measure:not([disabled])');
    assert.equal(await watched.text('#judged-status'), 'Stopped.');
    assert.equal(await watched.page.$('#metrics'), null);
  });
});
