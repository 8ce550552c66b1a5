/** `twinrank model bench [BUNDLE]`: how fast a bundle is on this machine, and which options suit it. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { benchBundle, benchPlan, recommend, type BenchResult } from '../../../model/bundle-bench.js';
import type { Command } from '../../command.js';
import { bundleAt, BUNDLE_OPTIONS } from '../../model-options.js';
import { integer, type OptionTable } from '../../options.js';
import { textTable } from '../../table.js';

/** Load a core from which on numbers are those of the neighbours. */
const BUSY = 0.5;

const OPTIONS = {
  seconds: {
    flag: 'seconds',
    env: 'TWINRANK_BENCH_SECONDS',
    help: 'About how long to measure in all.',
    default: '20',
    parse: integer(1, 3600),
  },
  ...BUNDLE_OPTIONS,
} satisfies OptionTable;

export const modelBenchCommand: Command<typeof OPTIONS> = {
  usage: 'bench [bundle]',
  summary: 'Measure a bundle on this machine and recommend workers and threads.',
  options: OPTIONS,
  run: async (values, [folder], io) => {
    const bundle = await bundleAt(folder, values);
    const cores = availableParallelism();
    const [load = 0] = loadavg();
    if (load > BUSY * cores) {
      io.stderr.write(
        `Warning: other programs keep this machine busy (load ${load.toFixed(1)} on ${cores} cores), so the numbers mean little. Measure again when it is idle.\n`,
      );
    }
    const showStep = (what: string): void =>
      void (io.stderr.isTTY === true && io.stderr.write(`measuring ${what}\n`));
    const result = await benchBundle(bundle, benchPlan(cores, values.seconds), showStep, io.signal);
    const { name, version } = bundle.manifest;
    const machine = { cores, cpu: cpus()[0]?.model.trim() ?? 'unknown', load };
    if (values.json) {
      const { documents, queries } = recommend(result);
      const json = { bundle: `${name} ${version}`, machine, ...result, recommended: { documents, queries } };
      io.stdout.write(`${JSON.stringify(json)}\n`);
    } else {
      const { cpu } = machine;
      io.stdout.write(
        `${name} ${version} on ${cores} cores (${cpu}), titles of ${result.meanTokens.toFixed(1)} tokens\n`,
      );
      io.stdout.write(benchText(result));
    }
    return 0;
  },
};

/** Tables and advice for people. Pure. */
function benchText(result: BenchResult): string {
  const { throughput, latency } = result;
  const titles = textTable(
    ['Workers', 'Threads', 'Batch, tokens a thread', 'Titles/s', 'Tokens/s'],
    throughput.map((row) =>
      [
        row.workers,
        row.threads,
        row.batchTokensPerThread,
        row.titlesPerSecond.toFixed(0),
        row.tokensPerSecond.toFixed(0),
      ].map(String),
    ),
    { rightAligned: [0, 1, 2, 3, 4] },
  );
  const queries = textTable(
    ['Threads', 'p50 ms', 'p95 ms'],
    latency.map(({ threads, p50Ms, p95Ms }) => [String(threads), p50Ms.toFixed(2), p95Ms.toFixed(2)]),
    { rightAligned: [0, 1, 2] },
  );
  const best = recommend(result);
  const options = ({ workers, threads }: { workers: number; threads: number }): string =>
    `--workers ${workers} --threads-per-worker ${threads}`;
  const advice = [
    ...(best.documents === undefined ? [] : [`ingest, reindex   ${options(best.documents)}`]),
    ...(best.queries === undefined ? [] : [`rerank            ${options({ workers: 1, ...best.queries })}`]),
  ];
  return (
    `\nMany titles\n${titles}\n\nOne query, one worker\n${queries}\n\n` +
    `Recommended\n${advice.map((line) => `  ${line}\n`).join('')}`
  );
}
