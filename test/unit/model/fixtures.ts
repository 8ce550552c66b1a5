/** What the tests of the model share: the bundle that ships, and golden data of the reference implementation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import type { TextTokenizer } from '../../../src/model/tokenizer.js';

export const BUNDLE_FOLDER = defaultBundleFolder();

export const goldenFile = (name: string): string =>
  fileURLToPath(new URL(`../../../../test/golden/${name}`, import.meta.url));

export function goldenIds(): { text: string; ids: number[] }[] {
  const lines = gunzipSync(readFileSync(goldenFile('tokenizer-ids.jsonl.gz')))
    .toString('utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as { text: string; ids: number[] });
}

export function goldenVectors(): { fingerprint: string; texts: { text: string; vector: number[] }[] } {
  return JSON.parse(readFileSync(goldenFile('encoder-vectors.json'), 'utf8')) as ReturnType<
    typeof goldenVectors
  >;
}

export function bundleJson(name: string): unknown {
  return JSON.parse(readFileSync(`${BUNDLE_FOLDER}/${name}`, 'utf8'));
}

/** The tokenizer gives each text its ids. */
export function assertIds(
  tokenizer: TextTokenizer,
  texts: readonly { readonly text: string; readonly ids: readonly number[] }[],
): void {
  const wrong = texts.filter(({ text, ids }) => tokenizer.encode(text).join() !== ids.join());
  assert.deepEqual(
    wrong.map(({ text }) => text.slice(0, 60)),
    [],
  );
}

/** Largest difference of two vectors in one number. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return largest;
}
