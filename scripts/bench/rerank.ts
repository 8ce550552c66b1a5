/**
 * What reranking adds to a search, by window: the same search sent direct and through the proxy in turn, and our own
 * parts (scan, decode, score, splice) timed in this process over real answers of the engine. Bars: our own parts at
 * most 15 microseconds a hit at window 100 and 8 at window 1,000 (p50), with 1 KB sources.
 */
import { performance } from 'node:perf_hooks';
import { mustSucceed, startService } from '../services.js';
import { loadBundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { createHead } from '../../src/model/head.js';
import { encodePayload, hashText } from '../../src/search-engine/vector-payload.js';
import { arrange } from '../../src/rerank/arrange.js';
import { DEFAULT_RERANK_OPTIONS, type RerankContext } from '../../src/rerank/context.js';
import { planSearch, readSearch } from '../../src/rerank/plan.js';
import { searchRoute } from '../../src/rerank/search-route.js';
import { createEngineClient } from '../../src/search-engine/client.js';
import { createSettingsReader } from '../../src/search-engine/index-settings.js';
import { NEVER } from './bench-run.js';
import { benchAgent, percentile, send } from './http-client.js';

const DOCUMENTS = 3_000;
const WINDOWS = [10, 100, 1_000] as const;
const BARS_US: Readonly<Record<number, number>> = { 100: 15, 1_000: 8 };
const ROUNDS = 60;

export async function rerankCost(engine: string, output: NodeJS.WritableStream): Promise<boolean> {
  const bundle = await loadBundle(defaultBundleFolder());
  const client = createEngineClient(new URL(engine));
  const proxy = await startService(
    'rerank',
    ['--upstream', engine, '--budget', '5000', '--settings-ttl', '60000'],
    NEVER,
  );
  const agent = benchAgent();
  let met = true;
  try {
    output.write(
      `\n${line('window', 'direct', 'fetch', 'through', 'added', 'own/hit', 'bar', 'scan', 'decode+score', 'splice')}\n`,
    );
    for (const window of WINDOWS) {
      const index = `twinrank-bench-rerank-${window}`;
      await send(agent, engine, 'DELETE', `/${index}?ignore_unavailable=true`);
      await mustSucceed(
        ['mapping', 'apply', '--to', engine, '--index', index, '--window', String(window), '--json'],
        'collect',
        NEVER,
      );
      await fill(agent, engine, index, bundle.dimensions, bundle.fingerprint);
      // Texts differ, so that each query is encoded anew.
      const body = (i: number): string =>
        JSON.stringify({ query: { match: { title: `common word${i % 50} item${i}` } } });
      const widened = (i: number): string =>
        JSON.stringify({ size: window, query: { match: { title: `common word${i % 50} item${i}` } } });
      const times = { direct: [] as number[], fetch: [] as number[], through: [] as number[] };
      for (let i = 0; i < ROUNDS + 20; i++) {
        const direct = await timed(() => send(agent, engine, 'POST', `/${index}/_search`, body(i)));
        const fetched = await timed(() => send(agent, engine, 'POST', `/${index}/_search`, widened(i)));
        const through = await timed(() => send(agent, proxy.url, 'POST', `/${index}/_search`, body(i)));
        if (i < 20) continue;
        times.direct.push(direct);
        times.fetch.push(fetched);
        times.through.push(through);
      }
      const settings = await createSettingsReader(client).forSearch(index);
      const own = await ownParts(
        await send(agent, engine, 'POST', `/${index}/_search`, widened(1)),
        index,
        bundle,
        settings,
      );
      const perHit = (own.total * 1000) / window;
      const bar = BARS_US[window];
      if (bar !== undefined && perHit > bar) met = false;
      const ms = (values: readonly number[]): string => `${percentile(values, 0.5).toFixed(2)} ms`;
      output.write(
        `${line(String(window), ms(times.direct), ms(times.fetch), ms(times.through), `${(percentile(times.through, 0.5) - percentile(times.direct, 0.5)).toFixed(2)} ms`, `${perHit.toFixed(1)} us`, bar === undefined ? '' : `${bar} us`, `${own.scan.toFixed(2)} ms`, `${own.score.toFixed(2)} ms`, `${own.splice.toFixed(2)} ms`)}\n`,
      );
      await send(agent, engine, 'DELETE', `/${index}`);
    }
    output.write(
      `direct: the search of 10 hits; fetch: the engine alone with our window; through: the proxy, encode included. p50 of ${ROUNDS}.\n` +
        `Bars: our own parts a hit, p50, ${met ? 'met' : 'NOT met'}\n`,
    );
    return met;
  } finally {
    agent.destroy();
    await proxy.stop();
    await client.close();
  }
}

/** Documents of about 1 KB besides the vector, written direct with made-up vectors: only the sizes matter here. */
async function fill(
  agent: ReturnType<typeof benchAgent>,
  engine: string,
  index: string,
  dimensions: number,
  fingerprint: string,
): Promise<void> {
  const filler = 'x'.repeat(920);
  for (let start = 0; start < DOCUMENTS; start += 500) {
    const lines = Array.from({ length: 500 }, (_, offset) => {
      const i = start + offset;
      const title = `common word${i % 50} item${i}`;
      const vector = Float32Array.from(
        { length: dimensions },
        (_x, d) => Math.sin(i * 31 + d * 7) / Math.sqrt(dimensions / 2),
      );
      const payload = encodePayload({ codec: 'f16', fingerprint, textHash: hashText(title), vector });
      return `{"index":{"_id":"${i}"}}\n{"twinrank_vector":"${payload}","title":"${title}","n":${i},"filler":"${filler}"}\n`;
    });
    await send(agent, engine, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''), 'application/x-ndjson');
  }
}

/** Milliseconds (p50) of our parts over one answer, warmed up as in a running service. */
async function ownParts(
  answer: string,
  index: string,
  bundle: Awaited<ReturnType<typeof loadBundle>>,
  settings: Awaited<ReturnType<ReturnType<typeof createSettingsReader>['forSearch']>>,
): Promise<{ total: number; scan: number; score: number; splice: number }> {
  const head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
  const route = searchRoute('POST', `/${index}/_search`);
  if (route === undefined) throw new Error('The bench asks for no search. This is a bug.');
  const encoder = {
    dimensions: bundle.dimensions,
    fingerprint: bundle.fingerprint,
    encode: () => Promise.resolve([]),
  };
  const context: RerankContext = {
    deps: {
      encoder,
      head,
      settings: { forSearch: () => Promise.resolve(settings), forWrite: () => Promise.resolve(undefined) },
    },
    options: DEFAULT_RERANK_OPTIONS,
    elapsedMs: () => 1,
    remainingMs: () => 100,
  };
  const vector = Float32Array.from(
    { length: bundle.dimensions },
    (_, d) => Math.cos(d) / Math.sqrt(bundle.dimensions / 2),
  );
  const request = Buffer.from(JSON.stringify({ query: { match: { title: 'common' } } }));
  const bytes = Buffer.from(answer);
  const parts = {
    total: [] as number[],
    scan: [] as number[],
    score: [] as number[],
    splice: [] as number[],
  };
  for (let i = 0; i < 400; i++) {
    const began = performance.now();
    const candidate = readSearch(route, request);
    const plan = typeof candidate === 'string' ? candidate : planSearch(candidate, settings, encoder);
    if (typeof plan === 'string') throw new Error(`The bench's search is not planned: ${plan}.`);
    const { pieces, times } = await arrange(
      context,
      plan,
      bytes,
      { vector, ms: 0 },
      { patchTook: true, signal: NEVER },
    );
    Buffer.concat(pieces);
    const total = performance.now() - began;
    if (i < 200) continue;
    parts.total.push(total);
    parts.scan.push(times.scanMs);
    parts.score.push(times.scoreMs);
    parts.splice.push(times.spliceMs);
  }
  const p50 = (values: readonly number[]): number => percentile(values, 0.5);
  return {
    total: p50(parts.total),
    scan: p50(parts.scan),
    score: p50(parts.score),
    splice: p50(parts.splice),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function line(first: string, ...cells: readonly string[]): string {
  return first.padEnd(8) + cells.map((cell) => cell.padStart(13)).join('');
}
