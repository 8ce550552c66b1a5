/**
 * Our own encoder as the services run it, measured by the benchmark: worker threads, batches, tokenising in the
 * pool, and no cache. Arguments: folder of the bundle, file of the texts, precision. Speaks as encode-peers/peers.py does.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { loadBundle } from '../../src/model/bundle.js';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { createEncoderPool } from '../../src/model/encoder-pool.js';
import { prepareEncoder } from '../../src/model/int8-cache.js';
import { defaultPoolSize } from '../../src/model/pool-size.js';
import { withPrecision } from '../../src/model/precision.js';
import { loadTokenizer } from '../../src/model/tokenizer-files.js';
import type { Answers, Texts } from './encode-contestant.js';

const [folder = '', textsFile = '', precision = 'fp32'] = process.argv.slice(2);
if (precision !== 'fp32' && precision !== 'int8') throw new Error(`"${precision}" is no precision.`);
const bundle = await prepareEncoder(
  withPrecision(await loadBundle(folder), precision),
  cacheFolder(process.env),
);
const texts = JSON.parse(await readFile(textsFile, 'utf8')) as Texts;
const pool = (purpose: 'query' | 'document') =>
  createEncoderPool(bundle, {
    ...defaultPoolSize(purpose, availableParallelism()),
    // Documents yield to searches in the services; here there are none, and the peers do not yield either.
    niceness: 0,
    maxQueuedTexts: Math.max(texts.titles.length, texts.queries.length),
  });
const [documents, queries] = [await pool('document'), await pool('query')];

const answers: { readonly [Request in keyof Answers]?: () => Promise<Answers[Request]> } = {
  async titles() {
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    await documents.encode(texts.titles, { kind: 'document' });
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
  },
  async queries() {
    const milliseconds: number[] = [];
    for (const query of texts.queries) {
      const begun = performance.now();
      await queries.encode([query], { kind: 'query' });
      milliseconds.push(performance.now() - begun);
    }
    return { milliseconds };
  },
  async vectors() {
    const vectors = await documents.encode(texts.sample, { kind: 'document' });
    return { vectors: vectors.map((vector) => Array.from(vector)) };
  },
  async tokens() {
    const { manifest, paths } = bundle;
    const tokenizer = await loadTokenizer(paths, manifest.maxTokens);
    const count = (text: string): number => tokenizer.encode(manifest.documentPrefix + text).length;
    return { tokens: texts.titles.reduce((sum, title) => sum + count(title), 0) };
  },
};

process.stdout.write('{}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const answer = answers[line.trim() as keyof Answers];
  if (answer === undefined) throw new Error(`"${line}" is not known.`);
  process.stdout.write(`${JSON.stringify(await answer())}\n`);
}
await Promise.all([documents.close(), queries.close()]);
