/**
 * What of the encoder's speed is left when titles go through the sidecar into the engine? Each round sends the same
 * new titles three ways, one after another: to the encoder alone, in bulk bodies through the sidecar, and in the same
 * bodies direct to the engine without vectors. Bar: the sidecar's rate at least 85 % of the encoder's own.
 *
 * Encoder and engine share the cores here, so what the engine spends on a document is lost to the encoder; CPU time
 * is shown beside the rates, to tell that apart from waiting.
 */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { loadBundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { createEncoderPool, type EncoderPool } from '../../src/model/encoder-pool.js';
import { defaultPoolSize } from '../../src/model/pool-size.js';
import { mustSucceed, startService } from '../services.js';
import { median, NEVER, numberOptions, spread, type BenchRun } from './bench-run.js';
import { benchAgent, send, writeBulk } from './http-client.js';
import { cpuSeconds } from './process-watch.js';
import { titleSource } from './titles.js';

const BAR = 0.85;
const CONFIGURED = 'twinrank-bench-ingest';
const PLAIN = 'twinrank-bench-ingest-plain';

/** `titles` in each round, in bodies of `bulk`, from `connections` at once, after `warmUp` that do not count. */
const DEFAULTS = { titles: 3_000, rounds: 6, connections: 4, bulk: 500, warmUp: 4_000 };

/** One way of one round. */
interface Lap {
  readonly rate: number;
  /** CPU milliseconds a title: of whoever encodes, and of the engine. */
  readonly encoderMs: number;
  readonly engineMs: number;
}

export async function ingestRate({ engine, args, output }: BenchRun): Promise<boolean> {
  const options = numberOptions(args, DEFAULTS);
  const agent = benchAgent();
  const source = await titleSource(1);
  const size = defaultPoolSize('document', availableParallelism());
  const encoder = await createEncoderPool(await loadBundle(defaultBundleFolder()), {
    ...size,
    maxQueuedTexts: Math.max(options.titles, options.warmUp),
  });
  const sidecar = await startService('ingest', ['--upstream', engine.url], NEVER);
  const laps: Record<'encoder' | 'sidecar' | 'direct', Lap[]> = { encoder: [], sidecar: [], direct: [] };
  const bulkLap = (url: string, index: string, titles: readonly string[]): Promise<Lap> =>
    lap(titles.length, sidecar.pid, engine.pid, () => sendBulks(agent, url, index, titles, options));
  const ways = {
    encoder: (titles) =>
      lap(titles.length, process.pid, engine.pid, () => encoder.encode(titles, { kind: 'document' })),
    sidecar: (titles) => bulkLap(sidecar.url, CONFIGURED, titles),
    direct: (titles) => bulkLap(engine.url, PLAIN, titles),
  } satisfies Record<keyof typeof laps, (titles: readonly string[]) => Promise<Lap>>;
  try {
    await send(agent, engine.url, 'DELETE', `/${CONFIGURED},${PLAIN}?ignore_unavailable=true`);
    await mustSucceed(['mapping', 'apply', '--to', engine.url, '--index', CONFIGURED], 'collect', NEVER);
    // An engine's first thousands of documents cost several times the later ones: it is still compiling itself.
    const warmUp = source.take(options.warmUp);
    for (const way of Object.values(ways)) await way(warmUp);
    for (let round = 0; round < options.rounds; round++) {
      const titles = source.take(options.titles);
      // Who goes first changes, so that a load on the machine that comes or goes favours nobody.
      const order = ['encoder', 'sidecar', 'direct'] as const;
      for (const way of round % 2 === 0 ? order : order.toReversed()) laps[way].push(await ways[way](titles));
    }
    await mustHold(agent, engine.url, warmUp.length + options.titles * options.rounds);
    return report(laps, encoder, size.workers, options, output);
  } finally {
    await send(agent, engine.url, 'DELETE', `/${CONFIGURED},${PLAIN}?ignore_unavailable=true`);
    agent.destroy();
    await sidecar.stop();
    await encoder.close();
  }
}

function report(
  laps: Readonly<Record<'encoder' | 'sidecar' | 'direct', readonly Lap[]>>,
  encoder: EncoderPool,
  workers: number,
  options: typeof DEFAULTS,
  output: NodeJS.WritableStream,
): boolean {
  const stats = encoder.stats();
  output.write(
    `\n${options.rounds} rounds of ${options.titles} distinct titles, bodies of ${options.bulk} from ${options.connections} connections, ${workers} encoder threads, ${(stats.paddedTokens / stats.texts).toFixed(1)} tokens a title (padded)\n`,
  );
  output.write(`${line('', 'titles/s (least to most)', 'encoder CPU', 'engine CPU')}\n`);
  for (const [way, name] of [
    ['encoder', 'encoder alone'],
    ['sidecar', 'through the sidecar'],
    ['direct', 'direct, no vectors'],
  ] as const) {
    const rows = laps[way];
    const cpu = (key: 'encoderMs' | 'engineMs'): string =>
      `${median(rows.map((row) => row[key])).toFixed(2)} ms`;
    const rates = spread(
      rows.map((row) => row.rate),
      0,
    );
    output.write(`${line(name, rates, cpu('encoderMs'), cpu('engineMs'))}\n`);
  }
  const ratios = laps.sidecar.map((row, round) => row.rate / (laps.encoder[round]?.rate ?? Number.NaN));
  const cpuRatios = laps.sidecar.map(
    (row, round) => (laps.encoder[round]?.encoderMs ?? Number.NaN) / (row.encoderMs + row.engineMs),
  );
  const met = median(ratios) >= BAR;
  output.write(
    `CPU of the encoder alone by CPU of sidecar and engine together: ${spread(cpuRatios, 3)}; on cores that all share no rate can be higher\n` +
      `Bar: rate through the sidecar at least ${BAR} of the encoder alone: ${spread(ratios, 3)}, ${met ? 'met' : 'NOT met'}\n`,
  );
  return met;
}

async function lap(
  titles: number,
  encoderPid: number,
  enginePid: number | undefined,
  work: () => Promise<unknown>,
): Promise<Lap> {
  const before = [await cpuSeconds(encoderPid), await cpuSeconds(enginePid)] as const;
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const after = [await cpuSeconds(encoderPid), await cpuSeconds(enginePid)] as const;
  return {
    rate: titles / seconds,
    encoderMs: ((after[0] - before[0]) * 1000) / titles,
    engineMs: ((after[1] - before[1]) * 1000) / titles,
  };
}

/** As loaders do: each connection sends its next body when the last is answered. */
async function sendBulks(
  agent: ReturnType<typeof benchAgent>,
  url: string,
  index: string,
  titles: readonly string[],
  { bulk, connections }: { readonly bulk: number; readonly connections: number },
): Promise<void> {
  const bodies: string[] = [];
  for (let at = 0; at < titles.length; at += bulk)
    bodies.push(
      titles
        .slice(at, at + bulk)
        .map((title) => `{"index":{}}\n${JSON.stringify({ title })}\n`)
        .join(''),
    );
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let body = bodies.shift(); body !== undefined; body = bodies.shift())
        await writeBulk(agent, url, index, body);
    }),
  );
}

/** Every document of the sidecar's index has a vector. */
async function mustHold(agent: ReturnType<typeof benchAgent>, url: string, expected: number): Promise<void> {
  await send(agent, url, 'POST', `/${CONFIGURED}/_refresh`);
  const body = '{"query":{"exists":{"field":"twinrank_vector"}}}';
  const answer = await send(agent, url, 'POST', `/${CONFIGURED}/_count`, body);
  const { count } = JSON.parse(answer) as { count: number };
  if (count !== expected) throw new Error(`${count} of ${expected} documents have a vector.`);
}

function line(name: string, ...cells: readonly string[]): string {
  return name.padEnd(22) + cells.map((cell) => cell.padStart(26)).join('');
}
