/**
 * `npm run eval:dbpedia`, `npm run eval:kuake`: a judged collection on the full path. Documents go through the
 * sidecar into a real engine, queries to the engine and through the proxy; the figures must clear the bar.
 * Without the data it says so and ends well.
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
import { writeShuffled } from './eval/shuffled-corpus.js';
import { PROJECT_ROOT } from './project-root.js';
import { mustSucceed, runProgram, startService } from './services.js';

/** Quality is measured here, so a busy machine must not make the proxy give up on a query. */
const QUERY_BUDGET_MS = '20000';
const WINDOW = '100';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());

/** What is to be undone at the end, last first. */
const undo: (() => Promise<unknown>)[] = [];

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { data: { type: 'string' }, json: { type: 'boolean' } },
  });
  const name = positionals[0] ?? '';
  const collection = COLLECTIONS[name];
  if (collection === undefined || positionals.length > 1) {
    process.stderr.write(
      `Say which collection: ${Object.keys(COLLECTIONS).join(' or ')} [--data DIR] [--json]\n`,
    );
    return 2;
  }
  const data = resolve(
    values.data ?? process.env['TWINRANK_EVAL_DATA'] ?? join(PROJECT_ROOT, '..', 'shared', 'data'),
  );
  const folder = join(data, collection.folder);
  if (!existsSync(join(folder, collection.corpus))) {
    process.stdout.write(
      `The collection ${collection.folder} is not in ${data}, nothing is measured. ` +
        'Give the data folder with --data or TWINRANK_EVAL_DATA.\n',
    );
    return 0;
  }
  const report = await measure(name, collection, folder);
  process.stdout.write(
    values.json === true ? `${JSON.stringify(report)}\n` : `${collection.title}\n${evaluationText(report)}`,
  );
  const short = shortfalls(report, collection);
  for (const reason of short) process.stderr.write(`Below the bar: ${reason}.\n`);
  if (short.length === 0)
    say(`The bar is cleared: ${collection.bar.metric} at least +${collection.bar.atLeast}.`);
  return short.length === 0 ? 0 : 1;
}

async function measure(name: string, collection: Collection, folder: string): Promise<EvaluationReport> {
  const { signal } = stopping;
  const engine = await engineAddress();
  const client = createEngineClient(new URL(engine));
  undo.push(() => client.close());
  const index = `twinrank-eval-${name}-${process.pid}`;
  undo.push(() => client.request({ method: 'DELETE', path: `/${index}?ignore_unavailable=true` }));
  await createIndex(client, index, collection.analyzer);
  await mustSucceed(
    ['mapping', 'apply', '--to', engine, '--index', index, '--text', 'title', '--window', WINDOW],
    'collect',
    signal,
  );

  await loadCorpus(engine, index, join(folder, collection.corpus));
  await client.request({ method: 'POST', path: `/${index}/_refresh`, signal });

  const proxy = await startService('rerank', ['--upstream', engine, '--budget', QUERY_BUDGET_MS], signal);
  undo.push(() => proxy.stop());
  const sources = ['--queries', join(folder, collection.queries), '--qrels', join(folder, collection.qrels)];
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
      '--json',
      ...sources,
      ...equal,
    ],
    'collect',
    signal,
  );
  if (stdout === '') throw new Error('The evaluation failed; its own words stand above.');
  return JSON.parse(stdout) as EvaluationReport;
}

async function engineAddress(): Promise<string> {
  const given = process.env['OPENSEARCH_URL'];
  if (given !== undefined && given !== '') return given.replace(/\/+$/, '');
  const engine = await startEngine({ signal: stopping.signal, onProgress: say });
  undo.push(() => engine.stop());
  say(`${engine.title} answers at ${engine.url}`);
  return engine.url;
}

/** The analyzer is ours to say; the vector field is then added by `twinrank mapping apply`, as for any index. */
async function createIndex(client: EngineClient, index: string, analyzer: string): Promise<void> {
  const answer = await client.request({
    method: 'PUT',
    path: `/${index}`,
    body: {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: { properties: { title: { type: 'text', analyzer } } },
    },
    signal: stopping.signal,
  });
  if (answer.status !== 200) throw new Error(`The index cannot be made: ${reasonOf(answer)}`);
}

async function loadCorpus(engine: string, index: string, corpus: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
  undo.push(() => rm(scratch, { recursive: true, force: true }));
  const shuffled = join(scratch, 'corpus.jsonl');
  const documents = await writeShuffled(corpus, shuffled);
  const sidecar = await startService('ingest', ['--upstream', engine], stopping.signal);
  try {
    say(`Loading ${documents} documents through the sidecar at ${sidecar.url} ...`);
    say(
      (
        await mustSucceed(
          ['load', shuffled, '--to', sidecar.url, '--index', index],
          'collect',
          stopping.signal,
        )
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
    say(stopping.signal.aborted ? 'Stopped.' : error instanceof Error ? error.message : String(error));
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
