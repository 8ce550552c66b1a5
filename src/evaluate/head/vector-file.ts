/**
 * Vectors of texts in a file, so that the next training need not encode them again. A text is known by a hash of its
 * prefix and itself; the header names the encoder, and vectors of another one are not taken.
 *
 * The file: one line of JSON `{format, fingerprint, dimensions, count}`, `count` keys of 16 bytes, `count` vectors of
 * single precision, little-endian.
 */
import { hash, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { TwinrankError } from '../../errors.js';

export interface EncoderName {
  readonly fingerprint: string;
  readonly dimensions: number;
}

/** Vectors by the key of their text. */
export type KnownVectors = ReadonlyMap<string, Float32Array>;

const FORMAT = 'twinrank-vectors-1';
const KEY_BYTES = 16;
const LINE_END = 0x0a;

export function textKey(prefix: string, text: string): string {
  return hash('sha256', `${prefix}\n${text}`, 'hex').slice(0, 2 * KEY_BYTES);
}

/** What the file holds; nothing where there is none. Throws `bad_input_file` for another encoder's or a broken file. */
export async function readVectorFile(path: string, encoder: EncoderName): Promise<KnownVectors> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new TwinrankError('bad_input_file', `${path}: cannot be read (${error.message}).`, {
      cause: error,
    });
  });
  if (bytes === null) return new Map();
  const end = bytes.subarray(0, 1000).indexOf(LINE_END);
  const header = end === -1 ? null : headerOf(bytes.subarray(0, end).toString('utf8'));
  const refuse = (what: string): TwinrankError =>
    new TwinrankError('bad_input_file', `${path}: ${what} Delete it or name another file with --cache.`);
  if (header === null) throw refuse('is not a file of vectors.');
  if (header.fingerprint !== encoder.fingerprint || header.dimensions !== encoder.dimensions)
    throw refuse(`holds vectors of the encoder ${header.fingerprint}, this one is ${encoder.fingerprint}.`);
  const { count, dimensions } = header;
  const values = end + 1 + count * KEY_BYTES;
  if (bytes.length !== values + 4 * count * dimensions) throw refuse('is damaged: its length does not fit.');
  const floats = new Float32Array(count * dimensions);
  Buffer.from(floats.buffer).set(bytes.subarray(values));
  const known = new Map<string, Float32Array>();
  for (let i = 0; i < count; i++) {
    const key = bytes.toString('hex', end + 1 + i * KEY_BYTES, end + 1 + (i + 1) * KEY_BYTES);
    known.set(key, floats.subarray(i * dimensions, (i + 1) * dimensions));
  }
  return known;
}

/** Replaces the file; a run that is stopped leaves the old one. */
export async function writeVectorFile(
  path: string,
  { fingerprint, dimensions }: EncoderName,
  known: KnownVectors,
): Promise<void> {
  const scratch = `${path}.partial-${randomBytes(4).toString('hex')}`;
  const file = await open(scratch, 'wx').catch((error: Error) => {
    throw new TwinrankError('bad_config', `--cache: ${path} cannot be written (${error.message}).`, {
      cause: error,
    });
  });
  try {
    await file.write(
      Buffer.from(`${JSON.stringify({ format: FORMAT, fingerprint, dimensions, count: known.size })}\n`),
    );
    await file.write(Buffer.from([...known.keys()].join(''), 'hex'));
    for (const block of blocksOf([...known.values()], 4_096)) await file.write(Buffer.concat(block));
    await file.close();
    await rename(scratch, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(scratch, { force: true });
    throw error;
  }
}

function headerOf(line: string): (EncoderName & { readonly count: number }) | null {
  try {
    const header = JSON.parse(line) as EncoderName & { readonly format: unknown; readonly count: number };
    return header.format === FORMAT && Number.isSafeInteger(header.count) && header.count >= 0
      ? header
      : null;
  } catch {
    return null;
  }
}

function* blocksOf(vectors: readonly Float32Array[], size: number): Generator<Buffer[]> {
  for (let at = 0; at < vectors.length; at += size)
    yield vectors
      .slice(at, at + size)
      .map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
}
