/**
 * How fast is our encoder beside those that others offer? The same titles and queries, the same MiniLM weights in
 * float32 and the same cores: our pool, sentence-transformers, onnxruntime in Python and transformers.js, one after
 * the other in each round. The vectors are compared first, so that all do the same work. Bars, of the titles a second of
 * the best peer on all cores: 1.1 for float32, 1.8 for int8. The default bundle is measured beside them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { PROJECT_ROOT } from '../project-root.js';
import { median, numberOptions, spread, type BenchRun } from './bench-run.js';
import { startContestant, type Contestant } from './encode-contestant.js';
import { encodeTexts, prepareEncodePeers, type EncodePeers } from './encode-setup.js';
import { percentile } from './http-client.js';

const BARS = { fp32: 1.1, int8: 1.8 };
const LEAST_COSINE = 0.9999;
const DEFAULTS = { titles: 4_000, queries: 300, rounds: 3 };
const OURS = join(PROJECT_ROOT, 'dist', 'scripts', 'bench', 'encode-ours.js');
/** Floating-point operations of a token in the matrices of a layer of 384 dimensions. */
const LAYER_FLOP = 2 * (4 * 384 * 384 + 2 * 384 * 1536);
const LAYERS = { ours: 6, default: 12 };

interface Figures {
  readonly rates: number[];
  readonly cpuRates: number[];
  readonly milliseconds: number[];
}

export async function encodeRate({ args, output }: BenchRun): Promise<boolean> {
  const options = numberOptions(args, DEFAULTS);
  const peers = prepareEncodePeers(output);
  const texts = await encodeTexts(options.titles, options.queries);
  const scratch = await mkdtemp(join(tmpdir(), 'twinrank-bench-encode-'));
  const file = join(scratch, 'texts.json');
  try {
    await writeFile(file, JSON.stringify(texts));
    const characters = texts.titles.reduce((sum, title) => sum + title.length, 0) / texts.titles.length;
    output.write(
      `${texts.titles.length} titles of ${texts.source}, mean ${characters.toFixed(0)} characters; ${options.rounds} rounds\n`,
    );
    const all = availableParallelism();
    if (all > 1) await onCores(1, peers, file, texts.titles.length, options.rounds, output);
    const ratios = await onCores(all, peers, file, texts.titles.length, options.rounds, output);
    let areMet = true;
    for (const precision of ['fp32', 'int8'] as const) {
      const [ratio, bar] = [ratios[precision], BARS[precision]];
      areMet &&= ratio >= bar;
      output.write(
        `Bar: ours in ${precision} at least ${bar} of the best float32 peer on ${all} cores: ${ratio.toFixed(2)}, ${ratio >= bar ? 'met' : 'NOT met'}\n`,
      );
    }
    return areMet;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Prints the table of so many cores; our rates by that of the best peer, the median of the rounds. */
async function onCores(
  cores: number,
  peers: EncodePeers,
  file: string,
  titles: number,
  rounds: number,
  output: NodeJS.WritableStream,
): Promise<Readonly<Record<'fp32' | 'int8', number>>> {
  const python = (name: string) => [peers.python, peers.pythonScript, name, peers.model, file, String(cores)];
  const commands: Readonly<Record<string, readonly string[]>> = {
    'twinrank, MiniLM': [process.execPath, OURS, peers.bundle, file],
    'sentence-transformers': python('sentence-transformers'),
    'onnxruntime in Python': python('onnxruntime'),
    'transformers.js': [process.execPath, peers.nodeScript, peers.model, file, String(cores)],
    'twinrank, MiniLM, int8': [process.execPath, OURS, peers.bundle, file, 'int8'],
    'twinrank, default bundle': [process.execPath, OURS, defaultBundleFolder(), file],
    'the same, int8': [process.execPath, OURS, defaultBundleFolder(), file, 'int8'],
    'matrix multiplication': python('matmul'),
  };
  const contestants: Contestant[] = [];
  try {
    for (const [name, command] of Object.entries(commands))
      contestants.push(await startContestant(name, command, cores));
    const [ours, ...others] = contestants as [Contestant, ...Contestant[]];
    const [oursInt8, small, smallInt8, limiter] = others.splice(-4) as [
      Contestant,
      Contestant,
      Contestant,
      Contestant,
    ];
    await mustAgree(ours, others);
    const figures = new Map(
      [ours, ...others, oursInt8, small, smallInt8].map((one) => [
        one,
        { rates: [], cpuRates: [], milliseconds: [] } as Figures,
      ]),
    );
    const limits: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      // Who goes first changes, so that a load on the machine that comes or goes favours nobody.
      const order = [...figures.keys()];
      for (const one of round % 2 === 0 ? order : order.toReversed()) {
        const { seconds, cpuSeconds } = await one.ask('titles');
        const { milliseconds } = await one.ask('queries');
        // The first round warms up.
        if (round === 0) continue;
        figures.get(one)?.rates.push(titles / seconds);
        figures.get(one)?.cpuRates.push(titles / cpuSeconds);
        figures.get(one)?.milliseconds.push(...milliseconds);
      }
      limits.push((await limiter.ask('limit')).flops);
    }
    output.write(`\n${cores === 1 ? 'one core' : `${cores} cores`}\n`);
    output.write(`${line('', 'titles/s (least to most)', 'titles a CPU second', 'one query p50', 'p95')}\n`);
    for (const [one, { rates, cpuRates, milliseconds }] of figures) {
      const ms = (share: number): string => `${percentile(milliseconds, share).toFixed(1)} ms`;
      output.write(`${line(one.name, spread(rates, 0), median(cpuRates).toFixed(0), ms(0.5), ms(0.95))}\n`);
    }
    const limit = Math.max(...limits);
    for (const [one, layers] of [
      [ours, LAYERS.ours],
      [small, LAYERS.default],
    ] as const) {
      const { tokens } = await one.ask('tokens');
      const rate = median(figures.get(one)?.rates ?? []);
      const flops = (rate * tokens * layers * LAYER_FLOP) / titles;
      output.write(
        `${one.name}: ${(flops / 1e9).toFixed(0)} of ${(limit / 1e9).toFixed(0)} GFLOP/s that matrices of its shapes reach here, ${((100 * flops) / limit).toFixed(0)} %\n`,
      );
    }
    const byBestPeer = (one: Contestant): number[] =>
      (figures.get(one) as Figures).rates.map(
        (rate, round) => rate / Math.max(...others.map((peer) => figures.get(peer)?.rates[round] ?? 0)),
      );
    const [fp32, int8] = [byBestPeer(ours), byBestPeer(oursInt8)];
    output.write(
      `twinrank by the best float32 peer of each round: ${spread(fp32, 2)}, int8 ${spread(int8, 2)}\n`,
    );
    return { fp32: median(fp32), int8: median(int8) };
  } finally {
    await Promise.all(contestants.map((one) => one.stop()));
  }
}

/** Throws where a peer's vectors are not ours: then it does other work. */
async function mustAgree(ours: Contestant, peers: readonly Contestant[]): Promise<void> {
  const { vectors: expected } = await ours.ask('vectors');
  for (const peer of peers) {
    const { vectors } = await peer.ask('vectors');
    const cosines = vectors.map((vector, i) =>
      vector.reduce((sum, value, at) => sum + value * (expected[i]?.[at] ?? Number.NaN), 0),
    );
    const least = Math.min(...cosines);
    if (!(least >= LEAST_COSINE)) throw new Error(`The vectors of ${peer.name} differ: cosine ${least}.`);
  }
}

function line(name: string, ...cells: readonly string[]): string {
  return name.padEnd(26) + cells.map((cell) => cell.padStart(25)).join('');
}
