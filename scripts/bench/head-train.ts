/**
 * How long does `twinrank head train` take from pairs whose vectors are known? Pairs within groups of made-up texts,
 * labelled by a distance in which some axes count more, so that there is something to learn. Bar: 120 seconds for
 * 250,000 pairs with all cores, the program's start included.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { HeadReport } from '../../src/evaluate/head/head-report.js';
import { createRandom } from '../../src/evaluate/random.js';
import { textKey, writeVectorFile } from '../../src/evaluate/head/vector-file.js';
import { loadBundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { mustSucceed } from '../services.js';
import { NEVER, numberOptions, type BenchRun } from './bench-run.js';

const DEFAULTS = { pairs: 250_000, texts: 50_000 };
const BAR_SECONDS = 120;
/** Texts of a group are near each other; folds hold whole groups. */
const GROUP = 25;
/** How far the texts of a group are from its middle. */
const SPREAD = 0.7;

export async function headTrain({ args, output }: BenchRun): Promise<boolean> {
  const { pairs, texts } = numberOptions(args, DEFAULTS);
  if (texts % GROUP !== 0 || pairs > texts * (GROUP - 1))
    throw new Error(`Give --texts in groups of ${GROUP}, and at most ${GROUP - 1} pairs for each.`);
  const bundle = await loadBundle(defaultBundleFolder());
  const folder = await mkdtemp(join(tmpdir(), 'twinrank-bench-head-'));
  try {
    const vectors = vectorsOf(texts, bundle.dimensions);
    const { queryPrefix, documentPrefix } = bundle.manifest;
    const [cache, file] = [join(folder, 'known.vectors'), join(folder, 'pairs.tsv')];
    const known = new Map<string, Float32Array>();
    for (const [n, vector] of vectors.entries())
      for (const prefix of [queryPrefix, documentPrefix]) known.set(textKey(prefix, textOf(n)), vector);
    await writeVectorFile(cache, bundle, known);
    await pipeline(pairLines(pairs, vectors), createWriteStream(file));
    output.write(`${pairs} pairs of ${texts} texts, ${availableParallelism()} cores\n`);
    const began = performance.now();
    const printed = await mustSucceed(
      ['head', 'train', '--pairs', file, '--cache', cache, '--out', join(folder, 'bundle'), '--json'],
      'collect',
      NEVER,
    );
    const seconds = (performance.now() - began) / 1000;
    const met = seconds <= BAR_SECONDS;
    const report = JSON.parse(printed) as HeadReport;
    output.write(
      `learned in ${report.seconds.toFixed(1)} s, written: ${report.verdict}\n${seconds.toFixed(1)} s in all, no text encoded; bar ${BAR_SECONDS} s, ${met ? 'met' : 'NOT met'}\n`,
    );
    return met;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function textOf(n: number): string {
  return `text number ${n}`;
}

/** Unit vectors, each near the middle of its group. */
function vectorsOf(count: number, dimensions: number): Float32Array[] {
  const random = createRandom(1);
  let middle = new Float32Array(dimensions);
  return Array.from({ length: count }, (_, n) => {
    if (n % GROUP === 0) middle = unit(middle.map(() => random() - 0.5));
    const own = unit(middle.map(() => random() - 0.5));
    return unit(middle.map((value, d) => value + SPREAD * (own[d] ?? 0)));
  });
}

function unit(vector: Float32Array): Float32Array<ArrayBuffer> {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => value / length);
}

/** Lines of text, text and label: similar where the weighted distance, with some noise, is below the middle one. */
function* pairLines(count: number, vectors: readonly Float32Array[]): Generator<string> {
  const random = createRandom(2);
  const weights = Float32Array.from(vectors[0] ?? [], () => 2 * random());
  const drawn = Array.from({ length: count }, (_, n) => {
    const a = n % vectors.length;
    const first = a - (a % GROUP);
    // Each round takes the neighbour one further on, so no pair comes twice.
    const b = first + ((a - first + 1 + Math.floor(n / vectors.length)) % GROUP);
    const distance = weightedDistance(vectors[a], vectors[b], weights);
    return { a, b, distance: distance * (0.9 + 0.2 * random()) };
  });
  const middle = drawn.map(({ distance }) => distance).sort((a, b) => a - b)[count >> 1] ?? 0;
  yield 'text_a\ttext_b\tlabel\n';
  for (const { a, b, distance } of drawn) yield `${textOf(a)}\t${textOf(b)}\t${distance < middle ? 1 : 0}\n`;
}

function weightedDistance(a: Float32Array = new Float32Array(), b = a, weights = a): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (weights[d] ?? 0) * Math.abs((a[d] ?? 0) - (b[d] ?? 0));
  return sum;
}
