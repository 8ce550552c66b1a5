/**
 * A bundle with an encoder of a few operators, made anew for each test so that it can be wrong in one way: a vector
 * is `weights * (sum of the ids) + offset`. Tokenizer and character map are those of the bundle that ships.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintOf } from '../../../src/model/manifest.js';
import { BUNDLE_FOLDER, bundleJson } from './fixtures.js';

type Json = Record<string, unknown>;

export interface TinyChanges {
  /** The graph's name for the token ids. */
  readonly idsInput?: string;
  /** A third input that nobody feeds. */
  readonly extraInput?: string;
  /** Every vector gets the mean of the batch added, as it is with activations quantised by the batch. */
  readonly dependsOnBatch?: boolean;
  readonly manifest?: (manifest: Json) => void;
  readonly head?: (head: Json) => void;
  readonly golden?: (golden: Json) => void;
  readonly tokenizer?: (tokenizer: Json) => void;
}

const WEIGHTS = [1e-4, -2e-4, 3e-5, 5e-5];
const OFFSET = [0.3, 0.1, -0.2, 0.5];
const TINY_DIMENSIONS = WEIGHTS.length;

/** Writes the bundle into a new folder and returns it; manifest, hashes and fingerprints agree with the files. */
export function writeTinyBundle(folder: string, changes: TinyChanges = {}): string {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(BUNDLE_FOLDER, 'char-map.json'), join(folder, 'char-map.json'));
  const tokenizer = bundleJson('tokenizer.json') as Json;
  changes.tokenizer?.(tokenizer);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'encoder.onnx'), tinyGraph(changes));
  const golden = tinyGolden();
  changes.golden?.(golden);
  writeFileSync(join(folder, 'golden.json'), JSON.stringify(golden));
  const manifest = bundleJson('manifest.json') as Json & { files: Record<string, Json> };
  Object.assign(manifest, { name: 'tiny', dimensions: TINY_DIMENSIONS });
  changes.manifest?.(manifest);
  for (const file of Object.values(manifest.files)) {
    if (file['path'] !== 'head.json') Object.assign(file, hashed(join(folder, String(file['path']))));
  }
  manifest['fingerprint'] = fingerprintOf({
    files: {
      encoder: manifest.files['encoder'],
      tokenizer: manifest.files['tokenizer'],
      charMap: manifest.files['char_map'],
    },
    pooling: 'mean',
    normalize: manifest['normalize'],
    documentPrefix: manifest['document_prefix'],
    maxTokens: manifest['max_tokens'],
  } as unknown as Parameters<typeof fingerprintOf>[0]);
  const head: Json = {
    format: 1,
    dimensions: TINY_DIMENSIONS,
    encoder_fingerprint: manifest['fingerprint'],
    ...tinyHead(),
  };
  changes.head?.(head);
  writeFileSync(join(folder, 'head.json'), JSON.stringify(head));
  Object.assign(manifest.files['head'] as Json, hashed(join(folder, 'head.json')));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

function hashed(path: string): { sha256: string; bytes: number } {
  const bytes = readFileSync(path);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** Log-odds 1 - |u-v|_1. */
function tinyHead(): { weight: number[][]; bias: number[] } {
  const zeros = new Array<number>(2 * TINY_DIMENSIONS).fill(0);
  const distance = new Array<number>(TINY_DIMENSIONS).fill(-1);
  return {
    weight: [
      [...zeros, ...distance.map(() => 0)],
      [...zeros, ...distance],
    ],
    bias: [0, 1],
  };
}

function tinyGolden(): Json {
  const { texts } = bundleJson('golden.json') as { texts: { text: string; kind: string; ids: number[] }[] };
  const known = texts.map(({ text, kind, ids }) => ({ text, kind, ids, vector: tinyVector(ids) }));
  const [u, v] = [known[0], known[1]];
  if (u === undefined || v === undefined) throw new Error('The bundle that ships has too few golden texts.');
  const distance = u.vector.reduce((sum, value, i) => sum + Math.abs(value - (v.vector[i] as number)), 0);
  // Both sides have the same prefix, so a text is the same as query and as document.
  const pair = { query: u.text, passage: v.text, probability: 1 / (1 + Math.exp(distance - 1)) };
  return { texts: known, pairs: [pair] };
}

function tinyVector(ids: readonly number[]): number[] {
  const sum = ids.reduce((total, id) => total + id, 0);
  const raw = WEIGHTS.map((weight, i) => weight * sum + (OFFSET[i] as number));
  const norm = Math.sqrt(raw.reduce((total, value) => total + value * value, 0));
  return raw.map((value) => value / norm);
}

/** An ONNX file, field by field as in onnx.proto. */
function tinyGraph({ idsInput = 'input_ids', extraInput, dependsOnBatch = false }: TinyChanges): Buffer {
  const axis = (value: number): Buffer =>
    tensor(`axis_${value}`, [1], 7, Buffer.from(BigInt64Array.of(BigInt(value)).buffer));
  const floats = (name: string, shape: number[], values: number[]): Buffer =>
    tensor(name, shape, 1, Buffer.from(Float32Array.from(values).buffer));
  const node = (
    operator: string,
    inputs: string[],
    output: string,
    attributes: [string, number][] = [],
  ): Buffer =>
    block(1, [
      ...inputs.map((name) => text(1, name)),
      text(2, output),
      text(4, operator),
      ...attributes.map(([name, value]) => block(5, [text(1, name), whole(3, value), whole(20, 2)])),
    ]);
  const toFloat: [string, number][] = [['to', 1]];
  const graph = block(7, [
    node('Cast', [idsInput], 'ids', toFloat),
    node('Cast', ['attention_mask'], 'mask', toFloat),
    node('Mul', ['ids', 'mask'], 'kept'),
    node('ReduceSum', ['kept', 'axis_1'], 'sum', [['keepdims', 1]]),
    node('MatMul', ['sum', 'weights'], 'scaled'),
    node('Add', ['scaled', 'offset'], dependsOnBatch ? 'plain' : 'sentence_embedding'),
    ...(dependsOnBatch
      ? [
          node('ReduceSum', ['plain', 'axis_0'], 'of_batch', [['keepdims', 1]]),
          node('Add', ['plain', 'of_batch'], 'sentence_embedding'),
        ]
      : []),
    text(2, 'tiny'),
    axis(0),
    axis(1),
    floats('weights', [1, TINY_DIMENSIONS], WEIGHTS),
    floats('offset', [TINY_DIMENSIONS], OFFSET),
    ...[idsInput, 'attention_mask', ...(extraInput === undefined ? [] : [extraInput])].map((name) =>
      value(11, name, 7, ['batch', 'sequence']),
    ),
    value(12, 'sentence_embedding', 1, ['batch', TINY_DIMENSIONS]),
  ]);
  return Buffer.concat([whole(1, 8), graph, block(8, [whole(2, 13)])]);
}

function tensor(name: string, shape: number[], type: number, raw: Buffer): Buffer {
  return block(5, [...shape.map((size) => whole(1, size)), whole(2, type), text(8, name), block(9, [raw])]);
}

function value(field: number, name: string, type: number, shape: (string | number)[]): Buffer {
  const sizes = shape.map((size) => block(1, [typeof size === 'number' ? whole(1, size) : text(2, size)]));
  return block(field, [text(1, name), block(2, [block(1, [whole(1, type), block(2, sizes)])])]);
}

function text(field: number, content: string): Buffer {
  return block(field, [Buffer.from(content, 'utf8')]);
}

function whole(field: number, content: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(content)]);
}

function block(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function varint(content: number): Buffer {
  const bytes: number[] = [];
  for (let rest = content; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
