/**
 * `npm test [-- [--unit|--integration|--browser] [file filters ...]]`: unit and architecture tests, then one real
 * engine and the integration tests against it; with --browser those of the playground alone, in a real browser. The last line is `N passed, N failed`; the exit code agrees with it.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { startEngine, type Engine } from './engine/engine.js';
import { abortedBy, say } from './program.js';
import { PROJECT_ROOT } from './project-root.js';
import { findBrowser } from './test-run/find-browser.js';
import { summaryLine, Tally, type Counts } from './test-run/tally.js';
import { testFiles } from './test-run/test-files.js';

const UNIT_FILE_LIMIT_MS = 120_000;
const INTEGRATION_FILE_LIMIT_MS = 300_000;
const DIST = join(PROJECT_ROOT, 'dist');

const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

async function main(args: readonly string[]): Promise<Readonly<Counts>> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { unit: { type: 'boolean' }, integration: { type: 'boolean' }, browser: { type: 'boolean' } },
  });
  const both = values.unit === values.integration && values.browser !== true;
  const tally = new Tally();
  // The files' stack traces should name the sources.
  process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --enable-source-maps`.trim();

  if (both || values.unit === true) {
    const files = await testFiles(DIST, ['test/unit', 'test/architecture'], positionals);
    await runFiles(files, { tally, limit: UNIT_FILE_LIMIT_MS });
  }
  if (both || values.integration === true) {
    const files = await testFiles(DIST, ['test/integration'], positionals);
    await runIntegration(files, tally);
  }
  if (values.browser === true) {
    const files = await testFiles(DIST, ['test/browser'], positionals);
    await runBrowser(files, tally);
  }

  const { passed, failed, skipped } = tally.counts;
  if (passed + failed + skipped === 0) {
    const why =
      positionals.length > 0 ? `No test file matches ${positionals.join(', ')}.` : 'There are no tests.';
    process.stderr.write(`${why}\n`);
    tally.counts.failed += 1;
  }
  if (stopping.aborted) tally.counts.failed = Math.max(tally.counts.failed, 1);
  return tally.counts;
}

async function runIntegration(files: readonly string[], tally: Tally): Promise<void> {
  if (files.length === 0 || stopping.aborted) return;
  const given = process.env['OPENSEARCH_URL'];
  let engine: Engine | undefined;
  try {
    if (given === undefined || given === '') {
      engine = await startEngine({
        heap: '1g',
        // By default any garbage that has not been collected yet counts, so a test would be refused for those before it.
        settings: { 'indices.breaker.total.use_real_memory': 'false' },
        signal: stopping,
        onProgress: say,
      });
      say(`${engine.title} answers at ${engine.url}`);
    }
    process.env['TWINRANK_TEST_ENGINE'] = engine?.url ?? (await reachable(given ?? ''));
  } catch (error) {
    // Tests that could not run have not passed.
    tally.counts.failed += files.length;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`No engine, so that ${files.length} integration test files fail: ${message}\n`);
    return;
  }
  try {
    await runFiles(files, { tally, limit: INTEGRATION_FILE_LIMIT_MS });
  } finally {
    await engine?.stop();
  }
}

async function runBrowser(files: readonly string[], tally: Tally): Promise<void> {
  try {
    process.env['TWINRANK_TEST_BROWSER'] = await findBrowser();
  } catch (error) {
    tally.counts.failed += files.length;
    process.stderr.write(`${(error as Error).message}\n`);
    return;
  }
  await runIntegration(files, tally);
}

async function runFiles(
  files: readonly string[],
  { tally, limit }: { readonly tally: Tally; readonly limit: number },
): Promise<void> {
  if (files.length === 0 || stopping.aborted) return;
  const events = run({
    files: [...files],
    concurrency: Math.min(4, Math.max(2, availableParallelism())),
    timeout: limit,
    signal: stopping,
  });
  events.on('test:pass', (test) => tally.pass(test));
  events.on('test:fail', (test) => tally.fail(test));
  const report = events.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, 'end');
}

/** The address as it is, if something answers there: one clear line instead of a failure in every test. */
async function reachable(address: string): Promise<string> {
  const url = new URL(address);
  // fetch refuses addresses that carry credentials; whether they are right is for the tests to tell.
  url.username = '';
  url.password = '';
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).arrayBuffer();
  } catch (cause) {
    throw new Error(`OPENSEARCH_URL names ${url.href}, and nothing answers there.`, { cause });
  }
  return address;
}

/** Leaves at once: what a test has left running must not keep a finished run open. */
function finish(lastLine: string, code: number): void {
  process.stdout.write(`${lastLine}\n`, () => process.exit(code));
}

try {
  const counts = await main(process.argv.slice(2));
  finish(summaryLine(counts), counts.failed > 0 ? 1 : 0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  finish('0 passed, 1 failed', 1);
}
