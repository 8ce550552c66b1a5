/** `npm run bench -- NAME`: measures a figure that the project promises, against the real engine where it needs one. */
import { startEngine } from './engine/engine.js';
import { interference } from './bench/interference.js';
import { memory } from './bench/memory.js';
import { passthrough } from './bench/passthrough.js';
import { rerankCost } from './bench/rerank.js';

/** Says whether its bar was met; one that needs an engine gets a running one's address. */
type Benchmark =
  | { readonly engine: true; run(engine: string, output: NodeJS.WritableStream): Promise<boolean> }
  | { readonly engine: false; run(output: NodeJS.WritableStream): Promise<boolean> };

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  interference: { engine: true, run: interference },
  memory: { engine: false, run: memory },
  passthrough: { engine: false, run: passthrough },
  rerank: { engine: true, run: rerankCost },
};

async function main([name]: readonly string[]): Promise<number> {
  const benchmark = name !== undefined && Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    process.stderr.write(
      `Usage: npm run bench -- NAME, with NAME one of: ${Object.keys(BENCHMARKS).join(', ')}\n`,
    );
    return 2;
  }
  if (!benchmark.engine) return (await benchmark.run(process.stdout)) ? 0 : 1;
  const given = process.env['OPENSEARCH_URL'];
  const engine =
    given === undefined || given === ''
      ? await startEngine({ heap: '1g', onProgress: (line) => process.stdout.write(`${line}\n`) })
      : undefined;
  try {
    return (await benchmark.run(engine?.url ?? given ?? '', process.stdout)) ? 0 : 1;
  } finally {
    await engine?.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
