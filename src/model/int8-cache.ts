/**
 * Keeps the int8 form of encoders in a folder: made on the first start, found by each later one. A file is named by
 * the encoder that it was made of and by its own SHA-256, so a damaged one is noticed and made anew. It is written
 * under another name and renamed, so that of several that start at once none sees half a file.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TwinrankError } from '../errors.js';
import type { Bundle } from './bundle.js';
import { badBundle } from './bundle.js';
import { INT8_VERSION, toInt8 } from './int8-graph.js';

/** Writes a new file to the disk itself. A test may put one that fails in its place. */
export type WriteFile = (path: string, bytes: Buffer) => Promise<void>;

/** Nobody takes so long to write one. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * The bundle with the encoder that its precision wants: for int8 a file in `cache`, made now (about a second for 20
 * million weights) where it is not there. Rejects with `bad_bundle` where the encoder has no int8 form, `no_space`
 * where the disk is full and `bad_config` where the folder cannot be written to.
 */
export async function prepareEncoder(
  bundle: Bundle,
  cache: string,
  writeFile: WriteFile = writeAndSync,
): Promise<Bundle> {
  if (bundle.precision === 'fp32') return bundle;
  const folder = join(cache, 'int8');
  const prefix = `${bundle.manifest.files.encoder.sha256.slice(0, 32)}-v${INT8_VERSION}-`;
  const encoder = (await findWhole(folder, prefix)) ?? (await make(bundle, folder, prefix, writeFile));
  return { ...bundle, paths: { ...bundle.paths, encoder } };
}

/** The file whose name is its hash; damaged ones are removed. */
async function findWhole(folder: string, prefix: string): Promise<string | null> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (name.endsWith(PARTIAL)) await removeAbandoned(path);
    if (!name.startsWith(prefix) || !name.endsWith(WHOLE)) continue;
    const expected = name.slice(prefix.length, -WHOLE.length);
    if ((await sha256Of(path)) === expected) return path;
    await rm(path, { force: true }).catch(() => undefined);
  }
  return null;
}

const WHOLE = '.onnx';
const PARTIAL = '.partial';

async function make(bundle: Bundle, folder: string, prefix: string, writeFile: WriteFile): Promise<string> {
  const { encoder } = bundle.manifest.files;
  const source = await readFile(join(bundle.folder, encoder.path)).catch((error: unknown) => {
    throw badBundle(bundle.folder, `${encoder.path} is missing or cannot be read.`, error);
  });
  let bytes: Buffer;
  try {
    bytes = toInt8(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinrankError(
      'bad_bundle',
      `Model bundle ${bundle.folder}: ${encoder.path} cannot be computed in int8: ${reason} Start with --precision fp32.`,
      { cause: error },
    );
  }
  const hash = createHash('sha256').update(bytes).digest('hex');
  const path = join(folder, `${prefix}${hash}${WHOLE}`);
  const partial = join(folder, `${prefix}${randomBytes(6).toString('hex')}${PARTIAL}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(partial, bytes);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw cannotKeep(folder, bytes.length, error);
  }
  return path;
}

async function writeAndSync(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function cannotKeep(folder: string, bytes: number, error: unknown): TwinrankError {
  const code = (error as { code?: unknown } | null)?.code;
  const remedy =
    'name another folder with TWINRANK_CACHE, or start with --precision fp32, which needs none. Vectors in int8 and fp32 do not compare.';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TwinrankError(
      'no_space',
      `There is no room in ${folder} for the int8 encoder (${Math.ceil(bytes / 1e6)} MB). Make room, ${remedy}`,
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new TwinrankError(
    'bad_config',
    `The int8 encoder cannot be kept in ${folder}: ${reason}. Allow writing there, ${remedy}`,
    { cause: error },
  );
}

async function removeAbandoned(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && Date.now() - found.mtimeMs > ABANDONED_MS)
    await rm(path, { force: true }).catch(() => undefined);
}

/** Null where the file cannot be read. */
async function sha256Of(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return null;
  }
}
