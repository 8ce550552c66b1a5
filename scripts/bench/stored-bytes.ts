/**
 * What does a vector cost on disk? The same documents without vectors and with them, by codec of the vector and of the
 * index, merged to one segment, and what the engine says that they take. No bar: the figures are for docs/scale.md.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadBundle } from '../../src/model/bundle.js';
import { defaultBundleFolder } from '../../src/model/default-bundle.js';
import { createEncoderPool } from '../../src/model/encoder-pool.js';
import { defaultPoolSize } from '../../src/model/pool-size.js';
import { mustSucceed } from '../services.js';
import { NEVER, numberOptions, type BenchRun } from './bench-run.js';
import { benchAgent, send } from './http-client.js';
import { titleSource } from './titles.js';
import { fillIndex } from './vector-documents.js';

const INDEX = 'twinrank-bench-stored-bytes';
const DEFAULTS = { documents: 5_000 };

export async function storedBytes({ engine, args, output }: BenchRun): Promise<boolean> {
  const { documents } = numberOptions(args, DEFAULTS);
  const bundle = await loadBundle(defaultBundleFolder());
  const titles = (await titleSource(3)).take(documents);
  const encoder = await createEncoderPool(bundle, {
    ...defaultPoolSize('document', availableParallelism()),
    maxQueuedTexts: documents,
  });
  // Real vectors: how well they compress is a part of the answer.
  const encoded = await encoder.encode(titles, { kind: 'document' });
  await encoder.close();
  const agent = benchAgent();
  const remove = (): Promise<string> =>
    send(agent, engine.url, 'DELETE', `/${INDEX}?ignore_unavailable=true`);
  output.write(
    `\n${documents} documents of a title, a body of 300 characters and a number, ${bundle.dimensions} dimensions\n` +
      `${line('index.codec', 'vectors', 'bytes a document', 'of these the vector')}\n`,
  );
  try {
    for (const codec of ['default', 'best_compression'] as const) {
      let plain = Number.NaN;
      for (const stored of [undefined, 'f16', 'f32'] as const) {
        await remove();
        const settings = {
          'index.codec': codec,
          'index.number_of_replicas': 0,
          'index.store.stats_refresh_interval': '0ms',
        };
        await send(agent, engine.url, 'PUT', `/${INDEX}`, JSON.stringify({ settings }));
        if (stored !== undefined)
          await mustSucceed(
            ['mapping', 'apply', '--to', engine.url, '--index', INDEX, '--codec', stored, '--json'],
            'collect',
            NEVER,
          );
        const extra = (i: number): string =>
          `"body":"${titles
            .slice(i % 1000, (i % 1000) + 30)
            .join(' ')
            .replaceAll(/["\\]/g, '')
            .slice(0, 300)}","number":${i}`;
        const at = (i: number): Float32Array => encoded[i] as Float32Array;
        const vectors = stored === undefined ? undefined : { codec: stored, at };
        await fillIndex(engine.url, bundle, { index: INDEX, titles, extra, vectors });
        await send(agent, engine.url, 'POST', `/${INDEX}/_forcemerge?max_num_segments=1&flush=true`);
        const each = (await settledStoreBytes(agent, engine.url)) / documents;
        if (stored === undefined) plain = each;
        output.write(
          `${line(codec, stored ?? 'none', each.toFixed(0), stored === undefined ? '' : (each - plain).toFixed(0))}\n`,
        );
      }
    }
    return true;
  } finally {
    await remove();
    agent.destroy();
  }
}

/** What the index takes when the files of merged segments are gone. */
async function settledStoreBytes(agent: ReturnType<typeof benchAgent>, url: string): Promise<number> {
  for (let last = Number.NaN; ;) {
    await send(agent, url, 'POST', `/${INDEX}/_refresh`);
    await send(agent, url, 'POST', `/${INDEX}/_flush?force=true`);
    const bytes = await storeBytes(agent, url);
    if (bytes === last) return bytes;
    last = bytes;
    await sleep(1_000);
  }
}

async function storeBytes(agent: ReturnType<typeof benchAgent>, url: string): Promise<number> {
  const answer = await send(agent, url, 'GET', `/${INDEX}/_stats/store`);
  const stats = JSON.parse(answer) as { _all: { primaries: { store: { size_in_bytes: number } } } };
  return stats._all.primaries.store.size_in_bytes;
}

function line(first: string, ...cells: readonly string[]): string {
  return first.padEnd(18) + cells.map((cell) => cell.padStart(20)).join('');
}
