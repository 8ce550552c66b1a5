/**
 * `npm run eval:dbpedia`, `npm run eval:kuake`: a judged collection on the full path. Documents go through the
 * sidecar into a real engine, queries to the engine and through the proxy; the figures must clear the bar.
 * `npm run eval:all` measures every collection at hand and shows their orders in one table. Without the data it says
 * so and ends well.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluationText } from '../src/cli/evaluation-text.js';
import type { EvaluationReport } from '../src/evaluate/report.js';
import { createEngineClient, reasonOf, type EngineClient } from '../src/search-engine/client.js';
import { startEngine } from './engine/engine.js';
import { COLLECTIONS, shortfalls, type Collection } from './eval/collections.js';
import { ordersOfAll, type NamedReport } from './eval/orders-of-all.js';
import { writeShuffled } from './eval/shuffled-corpus.js';
import { abortedBy } from './program.js';
import { PROJECT_ROOT } from './project-root.js';
import { mustSucceed, runProgram, startService } from './services.js';

/** Quality is measured here, so a busy machine must not make the proxy give up on a query. */
const QUERY_BUDGET_MS = '20000';
const WINDOW = '100';

const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

/** What is to be undone at the end, last first. */
const undo: (() => Promise<unknown>)[] = [];

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { data: { type: 'string' }, json: { type: 'boolean' } },
  });
  const name = positionals[0] ?? '';
  const names = name === 'all' ? Object.keys(COLLECTIONS) : Object.hasOwn(COLLECTIONS, name) ? [name] : [];
  if (names.length === 0 || positionals.length > 1) {
    process.stderr.write(
      `Say which collection: ${Object.keys(COLLECTIONS).join(', ')} or all [--data DIR] [--json]\n`,
    );
    return 2;
  }
  const data = resolve(
    values.data ?? process.env['TWINRANK_EVAL_DATA'] ?? join(PROJECT_ROOT, '..', 'shared', 'data'),
  );
  const reports: NamedReport[] = [];
  let isShort = false;
  for (const one of names) {
    const collection = COLLECTIONS[one];
    if (collection === undefined) continue;
    const folder = join(data, collection.folder);
    if (!existsSync(join(folder, collection.source ?? collection.corpus))) {
      process.stdout.write(
        `The collection ${collection.folder} is not in ${data}, nothing is measured. ` +
          'Give the data folder with --data or TWINRANK_EVAL_DATA.\n',
      );
      continue;
    }
    const report = await measure(one, collection, folder);
    reports.push({ title: collection.title, report });
    if (values.json !== true) process.stdout.write(`${collection.title}\n${evaluationText(report)}\n`);
    if (!clearsBar(report, collection)) isShort = true;
  }
  if (values.json === true)
    process.stdout.write(reports.map(({ report }) => `${JSON.stringify(report)}\n`).join(''));
  else if (reports.length > 1) process.stdout.write(`${ordersOfAll(reports)}\n`);
  return isShort ? 1 : 0;
}

function clearsBar(report: EvaluationReport, collection: Collection): boolean {
  const short = shortfalls(report, collection);
  for (const reason of short) process.stderr.write(`Below the bar: ${reason}.\n`);
  const { bar } = collection;
  if (short.length === 0 && bar !== undefined)
    say(`The bar is cleared: ${bar.metric} at least +${bar.atLeast}.`);
  return short.length === 0;
}

async function measure(name: string, collection: Collection, folder: string): Promise<EvaluationReport> {
  const signal = stopping;
  const engine = await engineAddress();
  const files = await preparedFolder(collection, folder);
  const client = createEngineClient(new URL(engine));
  undo.push(() => client.close());
  const index = `twinrank-eval-${name}-${process.pid}`;
  undo.push(() => client.request({ method: 'DELETE', path: `/${index}?ignore_unavailable=true` }));
  await createIndex(client, index, collection);
  await mustSucceed(
    ['mapping', 'apply', '--to', engine, '--index', index, '--text', 'title', '--window', WINDOW],
    'collect',
    signal,
  );

  await loadCorpus(engine, index, join(files, collection.corpus));
  await client.request({ method: 'POST', path: `/${index}/_refresh`, signal });

  const proxy = await startService('rerank', ['--upstream', engine, '--budget', QUERY_BUDGET_MS], signal);
  const sources = ['--queries', join(files, collection.queries), '--qrels', join(files, collection.qrels)];
  const equal = collection.excludeEqual ? ['--exclude-equal', 'title'] : [];
  const { stdout } = await runProgram(
    [
      'eval',
      '--engine',
      engine,
      '--proxy',
      proxy.url,
      '--index',
      index,
      '--size',
      WINDOW,
      '--fields',
      collection.fields.join(','),
      '--json',
      ...sources,
      ...equal,
    ],
    'collect',
    signal,
  ).finally(() => proxy.stop());
  if (stdout === '') throw new Error('The evaluation failed; its own words stand above.');
  return JSON.parse(stdout) as EvaluationReport;
}

/** Where the collection's three files are. */
async function preparedFolder({ prepare }: Collection, folder: string): Promise<string> {
  if (prepare === undefined) return folder;
  const into = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
  undo.push(() => rm(into, { recursive: true, force: true }));
  await prepare(folder, into);
  return into;
}

let engineUrl: string | undefined;

/** One engine for all collections. */
async function engineAddress(): Promise<string> {
  engineUrl ??= await givenOrStarted();
  return engineUrl;
}

async function givenOrStarted(): Promise<string> {
  const given = process.env['OPENSEARCH_URL'];
  if (given !== undefined && given !== '') return given.replace(/\/+$/, '');
  const engine = await startEngine({ signal: stopping, onProgress: say });
  undo.push(() => engine.stop());
  say(`${engine.title} answers at ${engine.url}`);
  return engine.url;
}

/** The analyzer is ours to say; the vector field is then added by `twinrank mapping apply`, as for any index. */
async function createIndex(
  client: EngineClient,
  index: string,
  { fields, analyzer }: Collection,
): Promise<void> {
  const field = { type: 'text', analyzer };
  const answer = await client.request({
    method: 'PUT',
    path: `/${index}`,
    body: {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: { properties: Object.fromEntries(['title', ...fields].map((name) => [name, field])) },
    },
    signal: stopping,
  });
  if (answer.status !== 200) throw new Error(`The index cannot be made: ${reasonOf(answer)}`);
}

async function loadCorpus(engine: string, index: string, corpus: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
  undo.push(() => rm(scratch, { recursive: true, force: true }));
  const shuffled = join(scratch, 'corpus.jsonl');
  const documents = await writeShuffled(corpus, shuffled);
  const sidecar = await startService('ingest', ['--upstream', engine], stopping);
  try {
    say(`Loading ${documents} documents through the sidecar at ${sidecar.url} ...`);
    say(
      (
        await mustSucceed(['load', shuffled, '--to', sidecar.url, '--index', index], 'collect', stopping)
      ).trimEnd(),
    );
  } finally {
    await sidecar.stop();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function cleanUp(): Promise<void> {
  for (const step of undo.reverse()) {
    await step().catch((error: unknown) => {
      say(`While cleaning up: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    say(stopping.aborted ? 'Stopped.' : error instanceof Error ? error.message : String(error));
    return 1;
  })
  .then(async (code) => {
    await cleanUp();
    process.exitCode = code;
  })
  .catch((error: unknown) => {
    say(String(error));
    process.exitCode = 1;
  });
