/** One soak: an engine, a sidecar and a proxy of its own, traffic at half of what they can do, and faults. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/evaluate/random.js';
import { loadBundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { createEncoderPool } from '../../src/model/encoder-pool.js';
import { DEFAULT_VECTOR_FIELD } from '../../src/search-engine/mapping-meta.js';
import { watchMemory } from '../bench/process-watch.js';
import { DOCUMENT_MAPPING, titlePool } from '../chaos/documents.js';
import type { Interval } from '../chaos/faults.js';
import { call, readIndex } from '../chaos/inspect.js';
import { judge } from '../chaos/verdict.js';
import { Writer } from '../chaos/writer.js';
import { startEngine, type Engine } from '../engine/engine.js';
import { mustSucceed, startService, WORKER_FAULTS, type RunningService } from '../services.js';
import { bulkBodies, knownQueries } from './known-pages.js';
import { metricsOf, type Exposition } from './exposition.js';
import { faultsInTurn } from './soak-faults.js';
import { growth, punctualShare, type Growth } from './steadiness.js';
import { Traffic, type Kind, type Tally } from './traffic.js';
import { createWrites } from './writes.js';

const STABLE = 'twinrank-soak-stable';
const CHANGING = 'twinrank-soak-changing';
const QUERIES = 150;
/** Fewer than there are queries, so that most of them are encoded. */
const QUERY_CACHE = '30';
const CLIENTS = 8;
const CALIBRATION_MS = 15_000;
/** Caches fill and code is compiled; what comes after must stay as it is. */
const WARM_UP_SHARE = 0.2;

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Requests a second; half of what is measured if undefined. */
  readonly rate: number | undefined;
  /** Descriptor of the open file that gets the logs of our processes. */
  readonly log: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface SoakReport {
  readonly capacity: number;
  readonly rate: number;
  readonly tallies: Readonly<Record<Kind, Tally>>;
  readonly faults: readonly string[];
  /** Documents of the index that changed, and what is wrong with them. */
  readonly written: number;
  readonly lost: readonly string[];
  readonly services: readonly ServiceReport[];
}

export interface ServiceReport {
  readonly name: string;
  readonly memory: Growth;
  /** Share of the event loop's turns within the bar. */
  readonly punctual: number;
  readonly restarts: number;
}

/** Runs it. Rejects where it cannot be run at all; what went wrong stands in the report. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { signal, onProgress, log, seed } = options;
  const random = createRandom(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'twinrank-soak-'));
  let engine: Engine | undefined;
  const services: RunningService[] = [];
  try {
    engine = await startEngine({ dataDir, heap: '512m', signal, onProgress });
    const { url, port } = engine;
    const start = async (name: 'ingest' | 'rerank', args: readonly string[]): Promise<RunningService> => {
      const service = await startService(name, ['--upstream', url, ...args], signal, log, WORKER_FAULTS);
      services.push(service);
      return service;
    };
    const sidecar = await start('ingest', []);
    const proxy = await start('rerank', ['--query-cache', QUERY_CACHE]);
    const fingerprint = await makeIndices(url, sidecar.url, seed, signal);
    onProgress('Reckoning what each query must give ...');
    const queries = await reckon(url, seed);

    const away: Interval[] = [];
    const problems: string[] = [];
    const writer = new Writer({
      url: sidecar.url,
      index: CHANGING,
      started: Date.now(),
      nodeWasDown: (from, to) => away.some(([down, up]) => from <= up && to >= down),
      onProblem: (text) => problems.push(text),
    });
    const { write, documents } = createWrites(writer, titlePool(500, createRandom(seed + 1)), random);
    const path = `/${STABLE}/_doc/s1`;
    const document = { path, answer: await call(url + path, 'GET') };
    const traffic = (): Traffic =>
      new Traffic({ proxy: proxy.url, index: STABLE, queries, document, write, random, away });

    const rehearsal = traffic();
    const capacity = await rehearsal.asFastAsPossible(CLIENTS, CALIBRATION_MS);
    rehearsal.close();
    const rate = options.rate ?? capacity / 2;
    onProgress(`${capacity.toFixed(0)} requests/s can be had; ${rate.toFixed(0)} are sent from now on.`);

    const ms = options.minutes * 60_000;
    const run = traffic();
    const until = Date.now() + ms;
    const watched = [
      { name: 'proxy', service: proxy },
      { name: 'sidecar', service: sidecar },
    ];
    const watching = Promise.all(watched.map((one) => watch(one, ms)));
    const restartEngine = async (): Promise<void> => {
      await engine?.stop();
      engine = await startEngine({ dataDir, port, heap: '512m', signal });
      await findsAgain(url);
    };
    const breaking = faultsInTurn({ proxy, sidecar, restartEngine, away }, ms, onProgress);
    await run.atRate(rate, () => Date.now() < until && !signal.aborted);
    const [reports, faults] = [await watching, await breaking];
    signal.throwIfAborted();
    run.close();
    writer.close();
    const wish = { field: DEFAULT_VECTOR_FIELD, fingerprint };
    problems.push(...judge(documents, await readIndex(url, CHANGING), wish));
    const { tallies } = run;
    addProblems(tallies, rehearsal.tallies);
    return { capacity, rate, tallies, faults, written: documents.length, lost: problems, services: reports };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await engine?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Both indices, set up and the stable one filled. Gives the model's fingerprint. */
async function makeIndices(
  engine: string,
  sidecar: string,
  seed: number,
  signal: AbortSignal,
): Promise<string> {
  const settings = { number_of_shards: 1, number_of_replicas: 0 };
  const made = JSON.stringify({ settings, mappings: DOCUMENT_MAPPING });
  for (const index of [STABLE, CHANGING]) {
    await call(`${engine}/${index}`, 'PUT', made);
    const apply = ['mapping', 'apply', '--to', engine, '--index', index, '--text', 'title'];
    await mustSucceed(apply, 'collect', signal);
  }
  for (const body of bulkBodies(createRandom(seed + 2))) {
    const answer = await call(`${sidecar}/${STABLE}/_bulk`, 'POST', body);
    if (!answer.includes('"errors":false')) throw new Error(`Not all was written: ${answer.slice(0, 500)}`);
  }
  // One segment, so that a restart changes no order.
  await call(`${engine}/${STABLE}/_forcemerge?max_num_segments=1`, 'POST');
  await call(`${engine}/${STABLE}/_refresh`, 'POST');
  return (await loadBundle(defaultBundleFolder())).fingerprint;
}

async function reckon(engine: string, seed: number): ReturnType<typeof knownQueries> {
  const bundle = await loadBundle(defaultBundleFolder());
  const encoder = await createEncoderPool(bundle, { workers: 1, threadsPerWorker: 2 });
  try {
    const random = createRandom(seed + 3);
    return await knownQueries(engine, STABLE, DEFAULT_VECTOR_FIELD, QUERIES, random, bundle, encoder);
  } finally {
    await encoder.close();
  }
}

/** Resolves when the engine finds the documents of both indices again. */
async function findsAgain(engine: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      for (const index of [STABLE, CHANGING]) await call(`${engine}/${index}/_search?size=1`, 'GET');
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await sleep(100);
    }
  }
}

async function watch(
  { name, service }: { readonly name: string; readonly service: RunningService },
  ms: number,
): Promise<ServiceReport> {
  await sleep(ms * WARM_UP_SHARE);
  const before = await metricsOf(service.adminUrl);
  const memory = await watchMemory(service.pid);
  // A little less, so that the last look comes before the end.
  await sleep(ms * (1 - WARM_UP_SHARE) - 1_000);
  const after = await metricsOf(service.adminUrl);
  return {
    name,
    memory: growth(memory.stop().samples),
    punctual: punctualShare(before, after),
    restarts: restartsOf(after),
  };
}

function restartsOf({ values }: Exposition): number {
  return values.get('twinrank_encoder_worker_restarts_total') ?? Number.NaN;
}

/** What was wrong before the rate was set is wrong as well. */
function addProblems(to: SoakReport['tallies'], from: SoakReport['tallies']): void {
  for (const kind of Object.keys(to) as Kind[]) to[kind].problems.push(...from[kind].problems);
}
