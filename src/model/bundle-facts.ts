/** What there is to know about a bundle without running it. */
import { readFile } from 'node:fs/promises';
import type { Bundle } from './bundle.js';
import { badBundle } from './bundle.js';
import type { BundleFile, Manifest } from './manifest.js';
import type { OnnxFacts } from './onnx-file.js';
import { readOnnx } from './onnx-file.js';
import { specialTokens, type SpecialToken } from './pad-token.js';

export interface BundleFacts {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly (BundleFile & { readonly role: string })[];
  readonly encoder: OnnxFacts;
  readonly tokenizer: {
    /** Kind of the model, such as `Unigram`. */
    readonly kind: string;
    readonly pieces: number;
    readonly special: readonly SpecialToken[];
  };
  readonly head: {
    /** Which of u, v and |u-v| have weights other than nought. */
    readonly parts: readonly string[];
    /** What the training noted, unchanged. */
    readonly training: unknown;
  };
  readonly golden: { readonly texts: number; readonly pairs: number };
}

const ROLES = {
  encoder: 'encoder',
  tokenizer: 'tokenizer',
  charMap: 'char_map',
  head: 'head',
  golden: 'golden',
};

/** Reads a loaded bundle's encoder and tokenizer as files. Throws `bad_bundle`. */
export async function bundleFacts(bundle: Bundle): Promise<BundleFacts> {
  const { folder, manifest, head, golden, paths, dimensions } = bundle;
  const part = async <T>(file: BundleFile, path: string, read: (bytes: Buffer) => T): Promise<T> => {
    try {
      return read(await readFile(path));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw badBundle(folder, `${file.path} is not usable: ${reason}`, error);
    }
  };
  const files = Object.entries(ROLES).flatMap(([key, role]) => {
    const file = manifest.files[key as keyof Manifest['files']];
    return file === null ? [] : [{ role, ...file }];
  });
  const parts = ['u', 'v', '|u-v|'].filter((_, i) => {
    const from = i * dimensions;
    const [row0 = [], row1 = []] = head.weight;
    for (let k = from; k < from + dimensions; k++) if (row0[k] !== row1[k]) return true;
    return false;
  });
  return {
    folder,
    manifest,
    files,
    encoder: await part(manifest.files.encoder, paths.encoder, readOnnx),
    tokenizer: await part(manifest.files.tokenizer, paths.tokenizer, tokenizerFacts),
    head: { parts, training: head.training },
    golden: { texts: golden.texts.length, pairs: golden.pairs.length },
  };
}

function tokenizerFacts(bytes: Buffer): BundleFacts['tokenizer'] {
  const json = JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>;
  const model = (json['model'] ?? {}) as { type?: unknown; vocab?: unknown };
  return {
    kind: typeof model.type === 'string' ? model.type : '?',
    // A list with scores (Unigram) or an object from piece to id (WordPiece, BPE).
    pieces: Object.keys((model.vocab ?? {}) as object).length,
    special: specialTokens(json),
  };
}
