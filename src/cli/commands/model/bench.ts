/** `twinrank model bench [BUNDLE]`: how fast a bundle is on this machine, and which options suit it. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { isAbort } from '../../../errors.js';
import { benchBundle, benchPlan, gain, recommend, type BenchResult } from '../../../model/bundle-bench.js';
import type { Bundle } from '../../../model/bundle.js';
import { PRECISIONS, withPrecision, type Precision } from '../../../model/precision.js';
import type { Command } from '../../command.js';
import { bundleAt, BUNDLE_OPTIONS, prepared } from '../../model-options.js';
import { integer, type OptionTable } from '../../options.js';
import { textTable } from '../../table.js';

/** So many times the rate of fp32 pays for another set of vectors. */
const WORTH_IT = 1.2;

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
  summary: 'Measure a bundle on this machine and recommend workers, threads and precision.',
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
    const plan = benchPlan(cores, values.seconds / PRECISIONS.length);
    const measure = async (measured: Bundle): Promise<BenchResult> =>
      benchBundle(measured, plan, (what) => showStep(`${measured.precision}, ${what}`), io.signal);
    const fp32 = await measure(bundle);
    const int8 = await measureInt8(bundle, measure);
    const { name, version } = bundle.manifest;
    const machine = { cores, cpu: cpus()[0]?.model.trim() ?? 'unknown', load };
    if (values.json) {
      const json = { bundle: `${name} ${version}`, machine, fp32: withAdvice(fp32), int8: jsonOf(int8) };
      io.stdout.write(`${JSON.stringify(json)}\n`);
    } else {
      io.stdout.write(
        `${name} ${version} on ${cores} cores (${machine.cpu}), titles of ${fp32.meanTokens.toFixed(1)} tokens\n`,
      );
      io.stdout.write(benchText(fp32, int8));
    }
    return 0;
  },
};

/** What int8 gave, or why it cannot be had. */
type Int8Result = (BenchResult & { readonly fingerprint: string }) | { readonly reason: string };

async function measureInt8(
  bundle: Bundle,
  measure: (bundle: Bundle) => Promise<BenchResult>,
): Promise<Int8Result> {
  try {
    const int8 = await prepared(withPrecision(bundle, 'int8'));
    return { ...(await measure(int8)), fingerprint: int8.fingerprint };
  } catch (error) {
    if (isAbort(error)) throw error;
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function withAdvice<Result extends BenchResult>(result: Result) {
  const { documents, queries } = recommend(result);
  return { ...result, recommended: { documents, queries } };
}

function jsonOf(int8: Int8Result): object {
  return 'reason' in int8 ? int8 : withAdvice(int8);
}

/** Tables and advice for people. Pure. */
function benchText(fp32: BenchResult, int8: Int8Result): string {
  const measured: [Precision, BenchResult][] = [
    ['fp32', fp32],
    ...('reason' in int8 ? [] : [['int8', int8] as [Precision, BenchResult]]),
  ];
  const titles = textTable(
    ['Precision', 'Workers', 'Threads', 'Batch, tokens a thread', 'Titles/s', 'Tokens/s'],
    measured.flatMap(([precision, { throughput }]) =>
      throughput.map((row) => [
        precision,
        String(row.workers),
        String(row.threads),
        String(row.batchTokensPerThread),
        row.titlesPerSecond.toFixed(0),
        row.tokensPerSecond.toFixed(0),
      ]),
    ),
    { rightAligned: [1, 2, 3, 4, 5] },
  );
  const queries = textTable(
    ['Precision', 'Threads', 'p50 ms', 'p95 ms'],
    measured.flatMap(([precision, { latency }]) =>
      latency.map(({ threads, p50Ms, p95Ms }) => [
        precision,
        String(threads),
        p50Ms.toFixed(2),
        p95Ms.toFixed(2),
      ]),
    ),
    { rightAligned: [1, 2, 3] },
  );
  const advice = measured.map(([precision, result]) => `${precision}\n${adviceText(precision, result)}`);
  return (
    `\nMany titles\n${titles}\n\nOne query, one worker\n${queries}\n\n` +
    `Recommended with ${advice.join('')}\n${int8Text(fp32, int8)}\n`
  );
}

function adviceText(precision: Precision, result: BenchResult): string {
  const best = recommend(result);
  const options = ({ workers, threads }: { workers: number; threads: number }): string =>
    `${precision === 'fp32' ? '' : `--precision ${precision} `}--workers ${workers} --threads-per-worker ${threads}`;
  const advice = [
    ...(best.documents === undefined ? [] : [`ingest, reindex   ${options(best.documents)}`]),
    ...(best.queries === undefined ? [] : [`rerank            ${options({ workers: 1, ...best.queries })}`]),
  ];
  return advice.map((line) => `  ${line}\n`).join('');
}

/** Whether int8 is worth it here, and what it asks for. */
function int8Text(fp32: BenchResult, int8: Int8Result): string {
  if ('reason' in int8) return `int8 cannot be had: ${int8.reason}`;
  const { titles, query } = gain(fp32, int8);
  const figures = `int8 encodes ${titles.toFixed(2)} times the titles of fp32, and one query in ${(100 / query).toFixed(0)} % of its time`;
  if (titles < WORTH_IT) return `${figures}: not worth it on this machine, stay with fp32.`;
  return (
    `${figures}. Its vectors are its own (fingerprint ${int8.fingerprint}): all of mapping, ingest, reindex, rerank ` +
    'and serve take --precision int8, or none. An index that has fp32 vectors needs "mapping apply --force" and a reindex.'
  );
}
