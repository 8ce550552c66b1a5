/**
 * Loads an exported bundle with the product's own runtime and compares it with what the framework gave.
 * Run: node check_export.mjs BUNDLE RESULTS; prints one line of JSON. Needs `npm run build` before.
 */
import { readFileSync } from 'node:fs';
import { loadBundle } from '../../dist/src/model/bundle.js';
import { parseCharMap } from '../../dist/src/model/char-map.js';
import { createEncoderPool } from '../../dist/src/model/encoder-pool.js';
import { createHead } from '../../dist/src/model/head.js';
import { createTokenizer } from '../../dist/src/model/tokenizer.js';

const [folder, resultsFile] = process.argv.slice(2);
const { texts, pairs = [] } = JSON.parse(readFileSync(resultsFile, 'utf8'));
const bundle = await loadBundle(folder);
const { manifest, paths, head } = bundle;

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const charMap = paths.charMap === null ? undefined : parseCharMap(json(paths.charMap));
const tokenizer = createTokenizer(json(paths.tokenizer), { maxTokens: manifest.maxTokens, charMap });
const otherIds = texts
  .filter(({ text, ids }) => tokenizer.encode(manifest.documentPrefix + text).join() !== ids.join())
  .map(({ text }) => text.slice(0, 40));

// Starting it compares the golden examples.
const pool = await createEncoderPool(bundle, { workers: 1, threadsPerWorker: 1 });
const vectors = await pool.encode(
  texts.map(({ text }) => text),
  { kind: 'document' },
);
await pool.close();
let vectorsOff = 0;
for (const [index, { vector }] of texts.entries()) {
  for (const [i, value] of vector.entries())
    vectorsOff = Math.max(vectorsOff, Math.abs(vectors[index][i] - value));
}
const scoring = createHead(head.weight, head.bias, manifest.dimensions);
let logOddsOff = 0;
for (const { left, right, log_odds: expected } of pairs) {
  const got = scoring.scorer(vectors[left]).logOdds(vectors[right]);
  logOddsOff = Math.max(logOddsOff, Math.abs(got - expected));
}
process.stdout.write(JSON.stringify({ texts: texts.length, otherIds, vectorsOff, logOddsOff }) + '\n');
