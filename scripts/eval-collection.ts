/**
 * `npm run eval:dbpedia`, `npm run eval:kuake`: a judged collection on the full path. Documents go through the
 * sidecar into a real engine, queries to the engine and through the proxy; the figures must clear the bar.
 * Without the data it says so and ends well.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluationText } from '../src/cli/evaluation-text.js';
import type { EvaluationReport } from '../src/evaluate/report.js';
import { COLLECTIONS, shortfalls, type Collection } from './eval/collections.js';
import { dataFolder, isThere, missingWords } from './eval/data-folder.js';
import { createWorkbench, WINDOW, type Workbench } from './eval/workbench.js';
import { abortedBy, runMain, UsageError } from './program.js';
import { runProgram, startService } from './services.js';

/** Quality is measured here, so a busy machine must not make the proxy give up on a query. */
const QUERY_BUDGET_MS = '20000';
const USAGE = `Say which collection: ${Object.keys(COLLECTIONS).join(', ')} [--data DIR] [--json]`;

const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { data: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [name = '', ...more] = positionals;
  const collection = Object.hasOwn(COLLECTIONS, name) ? COLLECTIONS[name] : undefined;
  if (collection === undefined || more.length > 0) throw new UsageError(`"${name}" is no collection.`);
  const data = dataFolder(values.data);
  if (!isThere(collection, data)) {
    process.stdout.write(`${missingWords(collection.folder, data)}\n`);
    return 0;
  }
  const workbench = createWorkbench(stopping, say);
  try {
    const report = await measure(workbench, collection, data);
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(report)}\n`
        : `${collection.title}\n${evaluationText(report)}\n`,
    );
    return clearsBar(report, collection) ? 0 : 1;
  } finally {
    await workbench.close();
  }
}

function clearsBar(report: EvaluationReport, collection: Collection): boolean {
  const short = shortfalls(report, collection);
  for (const reason of short) say(`Below the bar: ${reason}.`);
  const { bar } = collection;
  if (short.length === 0 && bar !== undefined)
    say(`The bar is cleared: ${bar.metric} at least +${bar.atLeast}.`);
  return short.length === 0;
}

async function measure(
  workbench: Workbench,
  collection: Collection,
  data: string,
): Promise<EvaluationReport> {
  const { index, folder } = await workbench.indexOf(collection, data);
  const engine = await workbench.engine();
  const proxy = await startService('rerank', ['--upstream', engine, '--budget', QUERY_BUDGET_MS], stopping);
  const addresses = ['--engine', engine, '--proxy', proxy.url, '--index', index, '--size', String(WINDOW)];
  const sources = ['--queries', join(folder, collection.queries), '--qrels', join(folder, collection.qrels)];
  const fields = ['--fields', collection.fields.join(',')];
  const equal = collection.excludeEqual ? ['--exclude-equal', 'title'] : [];
  const { stdout } = await runProgram(
    ['eval', ...addresses, ...fields, '--json', ...sources, ...equal],
    'collect',
    stopping,
  ).finally(() => proxy.stop());
  if (stdout === '') throw new Error('The evaluation failed; its own words stand above.');
  return JSON.parse(stdout) as EvaluationReport;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await runMain(main, { usage: USAGE, stopping });
