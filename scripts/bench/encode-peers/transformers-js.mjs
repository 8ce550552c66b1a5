/**
 * transformers.js over onnxruntime-node, measured by the benchmark. Arguments: folder of the model, file of the
 * texts, number of threads. Speaks as peers.py does. Gets texts of like length together, 32 at a time.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { env, pipeline } from '@huggingface/transformers';

const [model, textsFile, threads] = process.argv.slice(2);
const BATCH = 32;
env.allowRemoteModels = false;
env.localModelPath = dirname(model);
const extract = await pipeline('feature-extraction', basename(model), {
  dtype: 'fp32',
  device: 'cpu',
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1, logSeverityLevel: 3 },
});
const texts = JSON.parse(readFileSync(textsFile, 'utf8'));

async function encode(given) {
  const order = given.map((_, index) => index).sort((a, b) => given[a].length - given[b].length);
  const vectors = new Array(given.length);
  for (let at = 0; at < order.length; at += BATCH) {
    const chosen = order.slice(at, at + BATCH);
    const output = await extract(
      chosen.map((index) => given[index]),
      { pooling: 'mean', normalize: true },
    );
    const width = output.dims.at(-1);
    chosen.forEach((index, row) => (vectors[index] = output.data.slice(row * width, (row + 1) * width)));
  }
  return vectors;
}

async function answer(request) {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  switch (request) {
    case 'titles': {
      await encode(texts.titles);
      const { user, system } = process.cpuUsage(cpu);
      return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
    }
    case 'queries': {
      const milliseconds = [];
      for (const query of texts.queries) {
        const asked = performance.now();
        await encode([query]);
        milliseconds.push(performance.now() - asked);
      }
      return { milliseconds };
    }
    case 'vectors':
      return { vectors: (await encode(texts.sample)).map((vector) => Array.from(vector)) };
    default:
      throw new Error(request);
  }
}

console.log('{}');
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await answer(line.trim())));
