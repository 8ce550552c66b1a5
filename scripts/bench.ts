/** `npm run bench -- NAME`: measures a figure that the project promises, against the real engine. */
import { startEngine } from './engine/engine.js';
import { interference } from './bench/interference.js';

/** A benchmark gets a running engine's address and says whether its bar was met. */
type Benchmark = (engine: string, output: NodeJS.WritableStream) => Promise<boolean>;

const BENCHMARKS: Readonly<Record<string, Benchmark>> = { interference };

async function main([name]: readonly string[]): Promise<number> {
  const benchmark = name !== undefined && Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    process.stderr.write(
      `Usage: npm run bench -- NAME, with NAME one of: ${Object.keys(BENCHMARKS).join(', ')}\n`,
    );
    return 2;
  }
  const given = process.env['OPENSEARCH_URL'];
  const engine =
    given === undefined || given === ''
      ? await startEngine({ heap: '1g', onProgress: (line) => process.stdout.write(`${line}\n`) })
      : undefined;
  try {
    return (await benchmark(engine?.url ?? given ?? '', process.stdout)) ? 0 : 1;
  } finally {
    await engine?.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
