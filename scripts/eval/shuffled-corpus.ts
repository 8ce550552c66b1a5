/** A copy of a corpus in the order of a hash of the ids: engines break ties by insertion order, which can leak labels. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** Writes the shuffled copy; collections are small enough to be held. Returns the number of documents. */
export async function writeShuffled(from: string, to: string): Promise<number> {
  const bytes = await readFile(from);
  const text = (from.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const keyed = lines.map((line) => {
    const { _id: id } = JSON.parse(line) as { _id: string };
    return { line, hash: createHash('sha256').update(String(id)).digest('hex') };
  });
  keyed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  await writeFile(to, keyed.map(({ line }) => `${line}\n`).join(''));
  return keyed.length;
}
