/** The engine that collections are measured on, and their indices: filled through the sidecar, removed at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngineClient, reasonOf, type EngineClient } from '../../src/search-engine/client.js';
import { startEngine } from '../engine/engine.js';
import { mustSucceed, startService } from '../services.js';
import type { Collection } from './collections.js';
import { writeShuffled } from './shuffled-corpus.js';

/** Hits that are reranked and measured. */
export const WINDOW = 100;

export interface FilledIndex {
  readonly index: string;
  /** Where the collection's queries and judgments are. */
  readonly folder: string;
}

export interface Workbench {
  /** Address of the engine: that of OPENSEARCH_URL, or one of our own that starts with the first call. */
  engine(): Promise<string>;
  client(): Promise<EngineClient>;
  /**
   * An index that holds the collection, with the vectors of the bundle in `model`. Asked again for the same folder
   * and bundle it is the same index.
   */
  indexOf(collection: Collection, data: string, model?: string): Promise<FilledIndex>;
  /** Removes the indices and files, and ends the engine if it is ours. */
  close(): Promise<void>;
}

export function createWorkbench(signal: AbortSignal, say: (line: string) => void): Workbench {
  /** What is to be undone at the end, last first. */
  const undo: (() => Promise<unknown>)[] = [];
  const filled = new Map<string, Promise<FilledIndex>>();
  let engineUrl: Promise<string> | undefined;
  let engineClient: Promise<EngineClient> | undefined;

  const engine = (): Promise<string> => (engineUrl ??= givenOrStarted());

  async function givenOrStarted(): Promise<string> {
    const given = process.env['OPENSEARCH_URL'];
    if (given !== undefined && given !== '') return given.replace(/\/+$/, '');
    const started = await startEngine({ signal, onProgress: say });
    undo.push(() => started.stop());
    say(`${started.title} answers at ${started.url}`);
    return started.url;
  }

  const client = (): Promise<EngineClient> => (engineClient ??= connected());

  async function connected(): Promise<EngineClient> {
    const made = createEngineClient(new URL(await engine()));
    undo.push(() => made.close());
    return made;
  }

  async function fill(collection: Collection, data: string, model?: string): Promise<FilledIndex> {
    const folder = await preparedFolder(collection, join(data, collection.folder));
    const url = await engine();
    const index = `twinrank-eval-${collection.folder}-${process.pid}-${filled.size}`.replaceAll('_', '-');
    const calls = await client();
    undo.push(() => calls.request({ method: 'DELETE', path: `/${index}?ignore_unavailable=true` }));
    await createIndex(calls, index, collection.analyzer);
    const bundle = model === undefined ? [] : ['--model', model];
    const target = ['--to', url, '--index', index, '--text', 'title', '--window', String(WINDOW)];
    await mustSucceed(['mapping', 'apply', ...target, ...bundle], 'collect', signal);
    await load(url, index, join(folder, collection.corpus), bundle);
    await calls.request({ method: 'POST', path: `/${index}/_refresh`, signal });
    return { index, folder };
  }

  /** Where the collection's three files are. */
  async function preparedFolder({ prepare }: Collection, folder: string): Promise<string> {
    if (prepare === undefined) return folder;
    const into = await scratchFolder();
    await prepare(folder, into);
    return into;
  }

  async function scratchFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'twinrank-eval-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** The analyzer is ours to say; the vector field is then added by `twinrank mapping apply`, as for any index. */
  async function createIndex(calls: EngineClient, index: string, analyzer: string): Promise<void> {
    const field = { type: 'text', analyzer };
    const answer = await calls.request({
      method: 'PUT',
      path: `/${index}`,
      body: {
        settings: { number_of_shards: 1, number_of_replicas: 0 },
        mappings: { properties: { title: field, text: field } },
      },
      signal,
    });
    if (answer.status !== 200) throw new Error(`The index cannot be made: ${reasonOf(answer)}`);
  }

  async function load(url: string, index: string, corpus: string, bundle: readonly string[]): Promise<void> {
    const shuffled = join(await scratchFolder(), 'corpus.jsonl');
    const documents = await writeShuffled(corpus, shuffled);
    const sidecar = await startService('ingest', ['--upstream', url, ...bundle], signal);
    try {
      say(`Loading ${documents} documents through the sidecar at ${sidecar.url} ...`);
      const told = await mustSucceed(
        ['load', shuffled, '--to', sidecar.url, '--index', index],
        'collect',
        signal,
      );
      say(told.trimEnd());
    } finally {
      await sidecar.stop();
    }
  }

  return {
    engine,
    client,
    indexOf: (collection, data, model) => {
      const key = `${collection.folder}\n${model ?? ''}`;
      const known = filled.get(key);
      if (known !== undefined) return known;
      const made = fill(collection, data, model);
      filled.set(key, made);
      return made;
    },
    close: async () => {
      for (const step of undo.reverse()) {
        await step().catch((error: unknown) => {
          say(`While cleaning up: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
    },
  };
}
