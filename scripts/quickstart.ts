/**
 * `npm run quickstart [-- --once] [-- --data FILE --text FIELD]`: a real engine, both services, a collection loaded
 * through the sidecar, searches through the proxy, and a table that shows what changed.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEngine, type Engine } from './engine/engine.js';
import { whyTaken } from './engine/free-ports.js';
import { abortedBy, runMain, say } from './program.js';
import { PROJECT_ROOT } from './project-root.js';
import { sampleQueries, showSideBySide, refresh } from './quickstart/side-by-side.js';
import { mustSucceed, startService, type RunningService } from './services.js';

const USAGE = `Usage: npm run quickstart -- [--once] [--url ENGINE] [--data FILE --text FIELD [--query TEXT ...]]
  --once   end after the table instead of waiting for Ctrl-C
  --url    use a running engine instead of starting one (or set OPENSEARCH_URL)
  --data   your own JSONL, JSONL.gz or CSV instead of the help-centre collection; --text names its title field
  --query  a search to show; may be given several times`;

const INDEX = 'twinrank-quickstart';
const EXAMPLES = join(PROJECT_ROOT, 'examples/help-centre');
const HELP_CENTRE_QUERIES = [
  'my order was cancelled yesterday, how many days until my bank has the refund',
  'the app keeps crashing when I open it on my phone',
  '退款好几天了还没看到钱',
  '应用一打开就自己关了',
];

const stopping = abortedBy('SIGINT', 'SIGTERM');

interface Choice {
  readonly once: boolean;
  readonly url: string | undefined;
  readonly data: string | undefined;
  readonly text: string;
  readonly queries: readonly string[];
}

function readChoice(args: readonly string[]): Choice {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      url: { type: 'string' },
      data: { type: 'string' },
      text: { type: 'string' },
      query: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  if ((values.data === undefined) !== (values.text === undefined))
    throw new Error(`--data and --text belong together.\n${USAGE}`);
  return {
    once: values.once,
    url: values.url ?? (process.env['OPENSEARCH_URL'] || undefined),
    data: values.data,
    text: values.text ?? 'title',
    queries: values.query,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const choice = readChoice(args);
  let engine: Engine | undefined;
  const services: RunningService[] = [];
  try {
    if (choice.url === undefined) {
      say('Starting OpenSearch ...');
      engine = await startEngine({
        port: await preferredPort(9200),
        signal: stopping,
        onProgress: say,
      });
    }
    const url = choice.url ?? engine?.url ?? '';
    say('Starting the ingest sidecar and the rerank proxy ...');
    const sidecar = await startService(
      'ingest',
      ['--upstream', url, '--listen', `127.0.0.1:${await preferredPort(9201)}`],
      stopping,
    );
    services.push(sidecar);
    const proxy = await startService(
      'rerank',
      ['--upstream', url, '--listen', `127.0.0.1:${await preferredPort(9202)}`],
      stopping,
    );
    services.push(proxy);

    await makeIndex(url, choice.text);
    await program(['mapping', 'apply', '--to', url, '--index', INDEX, '--text', choice.text]);
    await program([
      'load',
      choice.data ?? join(EXAMPLES, 'corpus.jsonl'),
      '--to',
      sidecar.url,
      '--index',
      INDEX,
    ]);
    await refresh(url, INDEX);

    const queries =
      choice.queries.length > 0
        ? choice.queries
        : choice.data === undefined
          ? HELP_CENTRE_QUERIES
          : await sampleQueries(url, INDEX, choice.text);
    await showSideBySide({
      engine: url,
      proxy: proxy.url,
      index: INDEX,
      field: choice.text,
      queries,
      output: process.stdout,
    });
    if (choice.data === undefined) {
      const files = ['--queries', join(EXAMPLES, 'queries.jsonl'), '--qrels', join(EXAMPLES, 'qrels.tsv')];
      await program(['eval', '--engine', url, '--proxy', proxy.url, '--index', INDEX, ...files]);
    }
    if (choice.once || stopping.aborted) return 0;
    say(
      `\nEngine   ${url}\nSidecar  ${sidecar.url}   send your writes here\nProxy    ${proxy.url}   send your searches here, for example:`,
    );
    say(
      `  curl '${proxy.url}/${INDEX}/_search?q=${encodeURIComponent(`${choice.text}:(${queries[0] ?? ''})`)}'`,
    );
    say(`Page     ${proxy.adminUrl}/playground/   both orders side by side, in a browser`);
    say('Ctrl-C stops all three.');
    await new Promise<void>((resolve) => {
      stopping.addEventListener('abort', () => resolve(), { once: true });
    });
    return 0;
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await engine?.stop();
  }
}

/** A fresh index whose text field suits Chinese and English: cjk makes bigrams of the one and words of the other. */
async function makeIndex(url: string, field: string): Promise<void> {
  await fetch(`${url}/${INDEX}`, { method: 'DELETE' });
  const body = {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { [field]: { type: 'text', analyzer: 'cjk' } } },
  };
  const made = await fetch(`${url}/${INDEX}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!made.ok) throw new Error(`The index ${INDEX} cannot be made at ${url}: ${await made.text()}`);
}

async function program(args: readonly string[]): Promise<void> {
  say(
    `\n$ twinrank ${args.map((arg) => (arg.startsWith(PROJECT_ROOT) ? arg.slice(PROJECT_ROOT.length + 1) : arg)).join(' ')}`,
  );
  await mustSucceed(args, 'show', stopping);
}

/** The port if it is free, else 0: any. */
async function preferredPort(port: number): Promise<number> {
  return (await whyTaken(port)) === undefined ? port : 0;
}

await runMain(main, { stopping });
