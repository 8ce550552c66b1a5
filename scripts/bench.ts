/** `npm run bench -- NAME`: measures a figure that the project promises, against the real engine where it needs one. */
import { startEngine, type EngineOptions } from './engine/engine.js';
import type { BenchRun } from './bench/bench-run.js';
import { bulkMemory, BULK_MEMORY_ENGINE } from './bench/bulk-memory.js';
import { encodeRate } from './bench/encode.js';
import { headTrain } from './bench/head-train.js';
import { ingestRate } from './bench/ingest.js';
import { interference } from './bench/interference.js';
import { memory } from './bench/memory.js';
import { passthrough } from './bench/passthrough.js';
import { reindexCost } from './bench/reindex.js';
import { rerankCost } from './bench/rerank.js';
import { storedBytes } from './bench/stored-bytes.js';

/** Says whether its bar was met. */
interface Benchmark {
  /** What engine it runs against; undefined where it needs none. */
  readonly engine: EngineOptions | undefined;
  run(run: BenchRun): Promise<boolean>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'bulk-memory': { engine: BULK_MEMORY_ENGINE, run: bulkMemory },
  encode: { engine: undefined, run: encodeRate },
  'head-train': { engine: undefined, run: headTrain },
  ingest: { engine: { heap: '1g', throughput: true }, run: ingestRate },
  interference: { engine: { heap: '1g' }, run: ({ engine, output }) => interference(engine.url, output) },
  memory: { engine: undefined, run: ({ output }) => memory(output) },
  passthrough: { engine: undefined, run: ({ output }) => passthrough(output) },
  reindex: { engine: { heap: '1g', throughput: true }, run: reindexCost },
  rerank: { engine: { heap: '1g' }, run: ({ engine, output }) => rerankCost(engine.url, output) },
  'stored-bytes': { engine: { heap: '1g' }, run: storedBytes },
};

async function main([name, ...args]: readonly string[]): Promise<number> {
  const benchmark = name !== undefined && Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    process.stderr.write(
      `Usage: npm run bench -- NAME, with NAME one of: ${Object.keys(BENCHMARKS).join(', ')}\n`,
    );
    return 2;
  }
  const output = process.stdout;
  const given = process.env['OPENSEARCH_URL'] ?? '';
  const engine =
    benchmark.engine === undefined || given !== ''
      ? undefined
      : await startEngine({ ...benchmark.engine, onProgress: (line) => output.write(`${line}\n`) });
  try {
    return (await benchmark.run({ engine: engine ?? { url: given }, args, output })) ? 0 : 1;
  } finally {
    await engine?.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
