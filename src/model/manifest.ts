/**
 * The manifest of a model bundle: what the files are, how the encoder is fed and what identifies its vectors.
 * Pure: a parsed JSON value goes in, a checked manifest or a plain Error that says what is wrong comes out.
 */
import { createHash } from 'node:crypto';

export interface BundleFile {
  /** Relative to the bundle's folder. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The mean of the tokens that are not padding, or the first token. */
export type Pooling = 'mean' | 'cls';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly description: string;
  readonly source: string;
  readonly dimensions: number;
  /** Ids a text may have, the beginning and end tokens included. */
  readonly maxTokens: number;
  /** How the encoder's output was made of its tokens: done in the graph, told here because it names vectors. */
  readonly pooling: Pooling;
  /** Whether vectors are divided by their L2 norm. */
  readonly normalize: boolean;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly inputs: { readonly ids: string; readonly mask: string };
  readonly output: string;
  readonly padId: number;
  readonly files: {
    readonly encoder: BundleFile;
    readonly tokenizer: BundleFile;
    readonly charMap: BundleFile | null;
    readonly head: BundleFile;
    readonly golden: BundleFile;
  };
  /** 16 hex digits, see fingerprintOf. */
  readonly fingerprint: string;
}

type Json = Readonly<Record<string, unknown>>;

/** A checked manifest from the parsed manifest.json. Throws a plain Error whose message names the key. */
export function parseManifest(json: unknown): Manifest {
  const manifest = object(json, 'the manifest');
  if (manifest['format'] !== 1) {
    throw new Error(`"format" is ${JSON.stringify(manifest['format'])}; this version reads format 1.`);
  }
  const inputs = object(manifest['inputs'], '"inputs"');
  const files = object(manifest['files'], '"files"');
  if (files['head'] === undefined) {
    throw new Error('"files" names no "head"; a bundle without a trained head is not accepted.');
  }
  const { pooling } = manifest;
  if (pooling !== 'mean' && pooling !== 'cls') throw new Error('"pooling" must be "mean" or "cls".');
  const checked: Manifest = {
    name: text(manifest, 'name'),
    version: text(manifest, 'version'),
    license: text(manifest, 'license'),
    description: text(manifest, 'description'),
    source: text(manifest, 'source'),
    dimensions: whole(manifest, 'dimensions', 1),
    maxTokens: whole(manifest, 'max_tokens', 3),
    pooling,
    normalize: yesOrNo(manifest, 'normalize'),
    queryPrefix: anyText(manifest, 'query_prefix'),
    documentPrefix: anyText(manifest, 'document_prefix'),
    inputs: { ids: text(inputs, 'ids'), mask: text(inputs, 'mask') },
    output: text(manifest, 'output'),
    padId: whole(manifest, 'pad_id', 0),
    files: {
      encoder: file(files, 'encoder'),
      tokenizer: file(files, 'tokenizer'),
      charMap: files['char_map'] === undefined ? null : file(files, 'char_map'),
      head: file(files, 'head'),
      golden: file(files, 'golden'),
    },
    fingerprint: text(manifest, 'fingerprint'),
  };
  const computed = fingerprintOf(checked);
  if (computed !== checked.fingerprint) {
    throw new Error(
      `"fingerprint" is ${checked.fingerprint}, but what the manifest describes has ${computed}; vectors stored under the wrong one would be mixed up.`,
    );
  }
  return checked;
}

/**
 * What identifies stored vectors: the first 16 hex digits of SHA-256 over weights, tokeniser, pooling,
 * normalisation, document prefix and length limit. The head and the query prefix do not change what is stored.
 */
export function fingerprintOf(
  manifest: Pick<Manifest, 'files' | 'pooling' | 'normalize' | 'documentPrefix' | 'maxTokens'>,
): string {
  const { files, pooling, normalize, documentPrefix, maxTokens } = manifest;
  const lines = [
    'twinrank-encoder-1',
    files.encoder.sha256,
    files.tokenizer.sha256,
    files.charMap?.sha256 ?? '',
    pooling,
    String(normalize),
    documentPrefix,
    String(maxTokens),
  ];
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest('hex').slice(0, 16);
}

function file(files: Json, key: string): BundleFile {
  const entry = object(files[key], `"files.${key}"`);
  const path = text(entry, 'path');
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(path) || path.split('/').includes('..')) {
    throw new Error(`"files.${key}.path" is "${path}"; expected a file inside the bundle's folder.`);
  }
  const sha256 = text(entry, 'sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new Error(`"files.${key}.sha256" must be 64 lower-case hex digits.`);
  }
  return { path, sha256, bytes: whole(entry, 'bytes', 0) };
}

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${what} must be an object.`);
}

function text(from: Json, key: string): string {
  const value = anyText(from, key);
  if (value === '') throw new Error(`"${key}" must not be empty.`);
  return value;
}

function anyText(from: Json, key: string): string {
  const value = from[key];
  if (typeof value === 'string') return value;
  throw new Error(`"${key}" must be a text.`);
}

function whole(from: Json, key: string, min: number): number {
  const value = from[key];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  throw new Error(`"${key}" must be a whole number of at least ${min}.`);
}

function yesOrNo(from: Json, key: string): boolean {
  const value = from[key];
  if (typeof value === 'boolean') return value;
  throw new Error(`"${key}" must be true or false.`);
}
