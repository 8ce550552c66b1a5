/**
 * Reads a model bundle from its folder and proves that it is whole: every file there, of the size and hash that
 * the manifest gives, made for one another. Whether the encoder computes what it should is proved later, by the
 * golden examples, when the workers start.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TwinrankError } from '../errors.js';
import type { Golden, HeadWeights } from './bundle-parts.js';
import { parseGolden, parseHead } from './bundle-parts.js';
import { impostorOf, IMPOSTOR_BYTES } from './impostor.js';
import type { BundleFile, Manifest } from './manifest.js';
import { parseManifest } from './manifest.js';
import type { Precision } from './precision.js';

export interface Bundle {
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly dimensions: number;
  /** Names the vectors that the encoder gives at this precision; the manifest's is that of fp32. */
  readonly fingerprint: string;
  readonly precision: Precision;
  readonly head: HeadWeights;
  readonly golden: Golden;
  /** Absolute paths of what the workers load. */
  readonly paths: {
    readonly encoder: string;
    readonly tokenizer: string;
    readonly charMap: string | null;
  };
}

const REMEDY = 'Restore the bundle from where it came, or name another one.';

/** Loads and verifies a bundle (about 0.1 s for 30 MB). Rejects with `bad_bundle`, naming folder and file. */
export async function loadBundle(folder: string): Promise<Bundle> {
  const root = resolve(folder);
  const manifest = await readManifest(root);
  for (const file of filesOf(manifest)) await verifyFile(root, file);
  return assembleBundle(root, manifest);
}

/** The manifest of the bundle in an absolute folder, checked in itself. Rejects with `bad_bundle`. */
export async function readManifest(root: string): Promise<Manifest> {
  await requireFolder(root);
  return readPart(root, 'manifest.json', parseManifest);
}

/** Every file that a manifest names. */
export function filesOf({ files }: Manifest): BundleFile[] {
  const { encoder, tokenizer, charMap, head, golden } = files;
  return [encoder, tokenizer, ...(charMap === null ? [] : [charMap]), head, golden];
}

/** A bundle from a manifest, its files unverified: reads head and golden examples. Rejects with `bad_bundle`. */
export async function assembleBundle(root: string, manifest: Manifest): Promise<Bundle> {
  const { encoder, tokenizer, charMap, head, golden } = manifest.files;
  return {
    folder: root,
    manifest,
    dimensions: manifest.dimensions,
    fingerprint: manifest.fingerprint,
    precision: 'fp32',
    head: await readPart(root, head.path, (json) => parseHead(json, manifest)),
    golden: await readPart(root, golden.path, (json) => parseGolden(json, manifest)),
    paths: {
      encoder: join(root, encoder.path),
      tokenizer: join(root, tokenizer.path),
      charMap: charMap === null ? null : join(root, charMap.path),
    },
  };
}

/** The error that every defect of a bundle is reported with. */
export function badBundle(folder: string, what: string, cause?: unknown): TwinrankError {
  return new TwinrankError('bad_bundle', `Model bundle ${folder}: ${what} ${REMEDY}`, { cause });
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null) throw badBundle(folder, 'there is no such folder.');
  if (!found.isDirectory()) throw badBundle(folder, 'this is a file, a folder is expected.');
}

async function readPart<Part>(folder: string, path: string, parse: (json: unknown) => Part): Promise<Part> {
  let text: string;
  try {
    text = await readFile(join(folder, path), 'utf8');
  } catch (error) {
    throw badBundle(folder, `${path} is missing or cannot be read.`, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badBundle(folder, sentences(`${path} is not valid JSON.`, impostorOf(text)), error);
  }
  try {
    return parse(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badBundle(folder, `${path} is not usable: ${reason}`, error);
  }
}

/** Size and hash of one file. Rejects with `bad_bundle`. */
export async function verifyFile(folder: string, file: BundleFile): Promise<void> {
  const path = join(folder, file.path);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) throw badBundle(folder, `${file.path} is missing.`);
  if (found.size !== file.bytes) {
    const sizes = `${file.path} has ${found.size} bytes, the manifest says ${file.bytes}.`;
    throw badBundle(folder, sentences(sizes, impostorOf(await beginningOf(path))));
  }
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw badBundle(folder, `${file.path} cannot be read.`, error);
  }
  if (hash.digest('hex') !== file.sha256) {
    throw badBundle(folder, `${file.path} is damaged: its SHA-256 is not the manifest's.`);
  }
}

/** The first characters of a file; empty where it cannot be read. */
async function beginningOf(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(IMPOSTOR_BYTES), 0, IMPOSTOR_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
