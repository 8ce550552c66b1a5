/**
 * What does `twinrank reindex` cost? Three questions, against the real engine:
 * - how much of the encoder's own speed is left: documents without vectors are reindexed, and the same titles go to
 *   the encoder alone before and after. Bar: at least 85 %, from the program's first word to its end;
 * - does its memory stay flat over that run? Bar: the last third at most 50 MB above the first;
 * - how long does a run take that has nothing to do? Bar: 30 s for 200,000 documents whose vectors are fresh.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { loadBundle, type Bundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { createEncoderPool, type EncoderPool } from '../../src/model/encoder-pool.js';
import { defaultPoolSize } from '../../src/model/pool-size.js';
import { mustSucceed, startProgram } from '../services.js';
import { NEVER, numberOptions, type BenchRun } from './bench-run.js';
import { benchAgent, send } from './http-client.js';
import { cpuSeconds, watchMemory } from './process-watch.js';
import { titleSource } from './titles.js';
import { fillIndex } from './vector-documents.js';

const RATE_BAR = 0.85;
const GROWTH_BAR_MB = 50;
const IDLE_BAR_SECONDS = 30;
const INDEX = 'twinrank-bench-reindex';

/** `encode` documents without a vector for the rate, `documents` with fresh ones for the run with nothing to do. */
const DEFAULTS = { documents: 200_000, encode: 20_000 };
const WARM_UP = 4_000;

interface ReindexRun {
  /** Until the first line of output, when the model is up, and from there to the end. */
  readonly startSeconds: number;
  readonly seconds: number;
  /** Resident memory over the run, in samples at an even rate. */
  readonly samples: readonly number[];
  readonly lastLine: string;
}

export async function reindexCost({ engine, args, output }: BenchRun): Promise<boolean> {
  const options = numberOptions(args, DEFAULTS);
  const bundle = await loadBundle(defaultBundleFolder());
  const source = await titleSource(4);
  const agent = benchAgent();
  const clear = (): Promise<string> => send(agent, engine.url, 'DELETE', `/${INDEX}?ignore_unavailable=true`);
  try {
    await clear();
    const rateMet = await measureRate(engine, bundle, source.take(options.encode), clear, output);
    await clear();
    const idleMet = await measureNothingToDo(engine.url, bundle, source.take(options.documents), output);
    return rateMet && idleMet;
  } finally {
    await clear();
    agent.destroy();
  }
}

async function measureRate(
  { url: engine, pid }: BenchRun['engine'],
  bundle: Bundle,
  titles: readonly string[],
  clear: () => Promise<unknown>,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const encoder = await createEncoderPool(bundle, {
    ...defaultPoolSize('document', availableParallelism()),
    maxQueuedTexts: titles.length,
  });
  try {
    // An engine's first thousands of documents cost several times the later ones: it is still compiling itself.
    await fillPlain(engine, bundle, titles.slice(0, WARM_UP));
    await runReindex(engine);
    await clear();
    await fillPlain(engine, bundle, titles);
    await encoder.encode(titles.slice(0, 200), { kind: 'document' });
    // Half of the titles before and half after, so that a load on the machine that comes or goes counts on both sides.
    const half = Math.ceil(titles.length / 2);
    const before = await encodeSeconds(encoder, titles.slice(0, half));
    const engineBefore = await cpuSeconds(pid);
    const run = await runReindex(engine);
    const engineSeconds = (await cpuSeconds(pid)) - engineBefore;
    const after = await encodeSeconds(encoder, titles.slice(half));
    const alone = titles.length / (before + after);
    const rate = titles.length / run.seconds;
    const ratio = rate / alone;
    const third = Math.floor(run.samples.length / 3);
    const first = mean(run.samples.slice(0, third));
    const last = mean(run.samples.slice(-third));
    const met = ratio >= RATE_BAR && last - first < GROWTH_BAR_MB;
    output.write(
      `\n${titles.length} documents without a vector: reindex ${rate.toFixed(0)} documents/s (and ${run.startSeconds.toFixed(1)} s to start), encoder alone ${alone.toFixed(0)} titles/s; CPU of the engine ${((engineSeconds * 1000) / titles.length).toFixed(2)} ms a document\n` +
        `Bar: at least ${RATE_BAR} of the encoder alone: ${ratio.toFixed(3)}\n` +
        `Bar: memory in the last third at most ${GROWTH_BAR_MB} MB above the first: ${first.toFixed(0)} MB, ${last.toFixed(0)} MB, at most ${Math.max(...run.samples).toFixed(0)} MB\n` +
        `${run.lastLine}\n${met ? 'met' : 'NOT met'}\n`,
    );
    return met;
  } finally {
    await encoder.close();
  }
}

async function measureNothingToDo(
  engine: string,
  bundle: Bundle,
  titles: readonly string[],
  output: NodeJS.WritableStream,
): Promise<boolean> {
  await applyMapping(engine);
  // One vector for all: a reindex judges by the header, which differs for each text.
  const vector = new Float32Array(bundle.dimensions).fill(1 / Math.sqrt(bundle.dimensions));
  await fillIndex(engine, bundle, {
    index: INDEX,
    titles,
    extra: () => '',
    vectors: { codec: 'f16', at: () => vector },
  });
  const run = await runReindex(engine);
  const met = run.seconds < IDLE_BAR_SECONDS * (titles.length / DEFAULTS.documents);
  output.write(
    `\n${titles.length} documents with fresh vectors: ${run.seconds.toFixed(1)} s (and ${run.startSeconds.toFixed(1)} s to start), ${(titles.length / run.seconds).toFixed(0)} documents/s, at most ${Math.max(...run.samples).toFixed(0)} MB\n` +
      `${run.lastLine}\n` +
      `Bar: ${IDLE_BAR_SECONDS} s for ${DEFAULTS.documents} documents: ${met ? 'met' : 'NOT met'}\n`,
  );
  return met;
}

/** An index that is set up, with documents that have no vectors. */
async function fillPlain(engine: string, bundle: Bundle, titles: readonly string[]): Promise<void> {
  await applyMapping(engine);
  await fillIndex(engine, bundle, { index: INDEX, titles, extra: () => '', vectors: undefined });
}

async function applyMapping(engine: string): Promise<void> {
  await mustSucceed(['mapping', 'apply', '--to', engine, '--index', INDEX, '--json'], 'collect', NEVER);
}

async function runReindex(engine: string): Promise<ReindexRun> {
  const began = performance.now();
  const child = startProgram(['reindex', '--to', engine, '--index', INDEX, '--json'], 'collect');
  const ended = once(child, 'close') as Promise<[number | null]>;
  const watch = await watchMemory(child.pid ?? 0);
  let startedAt: number | undefined;
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    startedAt ??= performance.now();
    // The last line is all that is shown of it.
    text = (text + chunk).slice(-10_000);
  });
  const [code] = await ended;
  const ends = performance.now();
  const { samples } = watch.stop();
  if (code !== 0)
    throw new Error(`"twinrank reindex" ended with exit code ${code}; its own words stand above.`);
  const from = startedAt ?? began;
  const lead = Math.round(samples.length * ((from - began) / (ends - began)));
  return {
    startSeconds: (from - began) / 1000,
    seconds: (ends - from) / 1000,
    samples: samples.slice(lead),
    lastLine: text.trimEnd().split('\n').at(-1) ?? '',
  };
}

async function encodeSeconds(encoder: EncoderPool, titles: readonly string[]): Promise<number> {
  const began = performance.now();
  await encoder.encode(titles, { kind: 'document' });
  return (performance.now() - began) / 1000;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
