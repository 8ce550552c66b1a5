/**
 * Writes a bundle that is another one with a new head: the encoder's files are linked, so it takes no room, and the
 * fingerprint of the encoder stays, so vectors that are stored remain valid.
 */
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TwinrankError } from '../errors.js';
import { loadBundle, type Bundle } from './bundle.js';
import { createHead, probability } from './head.js';

export interface NewHead {
  /** Weights of the log-odds, [w_u; w_v; w_d; b]: 3 x dimensions + 1 numbers. */
  readonly weights: Float64Array;
  /** What is noted beside the weights: data and figures. */
  readonly training: unknown;
}

export interface NewBundle {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly head: NewHead;
}

/** Vectors of the golden pairs' texts, query and passage in turn, in the order of the bundle's golden pairs. */
export type GoldenPairVectors = readonly Float32Array[];

/** The texts that {@link writeBundle} wants vectors of. */
export function goldenPairTexts({ golden }: Pick<Bundle, 'golden'>): {
  readonly queries: string[];
  readonly passages: string[];
} {
  return {
    queries: golden.pairs.map(({ query }) => query),
    passages: golden.pairs.map(({ passage }) => passage),
  };
}

/** Throws `bad_config` where the folder cannot be made or is there already with something in it. */
export async function requireFreeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found !== null)
    throw new TwinrankError('bad_config', `${folder} is there already; name a folder that is not.`);
  const parent = await stat(dirname(resolve(folder))).catch(() => null);
  if (parent?.isDirectory() !== true)
    throw new TwinrankError('bad_config', `${dirname(resolve(folder))} is not a folder; make it first.`);
}

/**
 * Writes the bundle, loads it again and gives it back. It is put together beside its place and moved there whole, so
 * that a run which is stopped leaves no half a bundle.
 */
export async function writeBundle(
  source: Bundle,
  { folder, name, version, head }: NewBundle,
  vectors: { readonly queries: GoldenPairVectors; readonly passages: GoldenPairVectors },
): Promise<Bundle> {
  await requireFreeFolder(folder);
  const target = resolve(folder);
  const scratch = `${target}.partial-${randomBytes(4).toString('hex')}`;
  await mkdir(scratch);
  try {
    const { encoder, tokenizer, charMap, head: headFile, golden } = source.manifest.files;
    const rows = classRows(head.weights);
    const files = {
      head: await writeJson(scratch, headFile.path, {
        format: 1,
        dimensions: source.dimensions,
        encoder_fingerprint: source.manifest.fingerprint,
        ...rows,
        training: head.training,
      }),
      golden: await writeJson(scratch, golden.path, await goldenOf(source, rows, vectors)),
    };
    for (const file of [encoder, tokenizer, charMap])
      if (file !== null) await linkOrCopy(source.folder, scratch, file.path);
    const manifest = (await readJson(join(source.folder, 'manifest.json'))) as { files: object };
    // Whatever else the manifest holds stays as it is.
    await writeFile(
      join(scratch, 'manifest.json'),
      `${JSON.stringify({ ...manifest, name, version, files: { ...manifest.files, ...files } }, null, 2)}\n`,
    );
    await loadBundle(scratch);
    await rename(scratch, target);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
  return loadBundle(target);
}

interface ClassRows {
  readonly weight: readonly [number[], number[]];
  readonly bias: readonly [number, number];
}

/** Each class takes half with opposite signs, so that the difference of the rows is the weights. */
function classRows(weights: Float64Array): ClassRows {
  // Nine digits say more than single precision holds; adding nought turns -0 into 0.
  const half = Array.from(weights, (weight) => Number((weight / 2).toPrecision(9)) + 0);
  const bias = half.pop() ?? 0;
  return { weight: [half.map((value) => 0 - value), half], bias: [0 - bias, bias] };
}

async function goldenOf(
  source: Bundle,
  { weight, bias }: ClassRows,
  { queries, passages }: { readonly queries: GoldenPairVectors; readonly passages: GoldenPairVectors },
): Promise<unknown> {
  const head = createHead(weight, bias, source.dimensions);
  const stored = (await readJson(join(source.folder, source.manifest.files.golden.path))) as {
    pairs: object[];
  };
  const pairs = stored.pairs.map((pair, i) => {
    const [query, passage] = [queries[i], passages[i]];
    if (query === undefined || passage === undefined)
      throw new TwinrankError('internal', 'A golden pair has no vectors. This is a bug.');
    return { ...pair, probability: Number(probability(head.scorer(query).logOdds(passage)).toFixed(6)) };
  });
  return { ...stored, pairs };
}

async function writeJson(
  folder: string,
  path: string,
  value: unknown,
): Promise<{ readonly path: string; readonly sha256: string; readonly bytes: number }> {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
  return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** A link costs no room, but does not cross file systems, and some know none. */
async function linkOrCopy(from: string, to: string, path: string): Promise<void> {
  await mkdir(dirname(join(to, path)), { recursive: true });
  const file = await realpath(join(from, path));
  await link(file, join(to, path)).catch(() => copyFile(file, join(to, path)));
}
