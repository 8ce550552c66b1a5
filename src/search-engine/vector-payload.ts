/**
 * The stored form of a vector: a header that says what it is, then the values, as base64 in a `binary` field.
 * Where the engine's own vector field holds the values, the header stands alone: it still tells model and text.
 *
 * | bytes | what |
 * |---|---|
 * | 0 | format version, 1 |
 * | 1 | codec: 1 = f32, 2 = f16 (IEEE 754, little-endian both), 3 = no values here, the engine's own field has them |
 * | 2-3 | dimensions, unsigned little-endian |
 * | 4-11 | fingerprint of the encoder |
 * | 12-19 | hash of the text that was encoded: the first 8 bytes of its SHA-256 |
 * | 20- | the values |
 */
import { hash } from 'node:crypto';
import { endianness } from 'node:os';
import { bug } from '../errors.js';

/** How an index wants the values of its payloads. */
export type Codec = 'f32' | 'f16';
/** What a payload may hold: values, or the header of values that are in the engine's own vector field. */
export type StoredCodec = Codec | 'native';

const LITTLE_ENDIAN = endianness() === 'LE';
const VERSION = 1;
const HEADER_BYTES = 20;
const CODEC_ID = { f32: 1, f16: 2, native: 3 } as const;
const CODEC_OF: readonly (StoredCodec | undefined)[] = [undefined, 'f32', 'f16', 'native'];
const BYTES_PER_VALUE = { f32: 4, f16: 2, native: 0 } as const;

/** What is stored for one document. `fingerprint` and `textHash` are 16 hex characters. */
export interface VectorPayload {
  readonly codec: StoredCodec;
  readonly fingerprint: string;
  readonly textHash: string;
  readonly vector: Float32Array;
}

/** What a vector must be to be used, and why one was refused. */
export type PayloadProblem = 'missing' | 'malformed' | 'other_model' | 'other_dimensions' | 'not_finite';

/**
 * Fills in the values from the engine's own field and returns their sum; `missing` where there are none, `malformed`
 * where they are not as many numbers.
 */
export type NativeValues = (into: Float32Array) => number | 'missing' | 'malformed';

/** Hash by which a changed text is noticed. */
export function hashText(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16);
}

/** Base64 of the payload; with the codec `native`, of its header. */
export function encodePayload(payload: VectorPayload): string {
  const { codec, vector } = payload;
  const bytes = Buffer.alloc(HEADER_BYTES + vector.length * BYTES_PER_VALUE[codec]);
  bytes[0] = VERSION;
  bytes[1] = CODEC_ID[codec];
  bytes.writeUInt16LE(vector.length, 2);
  if (bytes.write(payload.fingerprint, 4, 'hex') !== 8)
    throw bug(`Fingerprint "${payload.fingerprint}" is not 16 hex digits.`);
  if (bytes.write(payload.textHash, 12, 'hex') !== 8)
    throw bug(`Text hash "${payload.textHash}" is not 16 hex digits.`);
  for (let i = 0; codec !== 'native' && i < vector.length; i++) {
    const value = vector[i] ?? Number.NaN;
    if (codec === 'f32') bytes.writeFloatLE(value, HEADER_BYTES + i * 4);
    else bytes.writeUInt16LE(halfOf(value), HEADER_BYTES + i * 2);
  }
  return bytes.toString('base64');
}

/** The payload's header alone: enough to tell whether a vector is fresh. */
export function readHeader(
  bytes: Buffer,
): (Omit<VectorPayload, 'vector'> & { readonly dimensions: number }) | undefined {
  const codec = CODEC_OF[bytes[1] ?? 0];
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION || codec === undefined) return undefined;
  const dimensions = bytes.readUInt16LE(2);
  if (bytes.length !== HEADER_BYTES + dimensions * BYTES_PER_VALUE[codec]) return undefined;
  return {
    codec,
    dimensions,
    fingerprint: bytes.toString('hex', 4, 12),
    textHash: bytes.toString('hex', 12, 20),
  };
}

/** Payloads are decoded one after the other into the same bytes: a thousand a search would keep the collector busy. */
let scratch = Buffer.alloc(0);
/** The same bytes after the header as half floats; made with them, since a view costs as much as reading a hundred. */
let scratchHalves = new Uint16Array(0);

function makeRoom(bytes: number): void {
  if (scratch.length >= bytes) return;
  // Unpooled, so that it starts at an even address, and the values behind the header of 20 bytes too.
  scratch = Buffer.alloc(Math.max(4096, bytes + (bytes % 2)));
  scratchHalves = new Uint16Array(
    scratch.buffer,
    scratch.byteOffset + HEADER_BYTES,
    (scratch.length - HEADER_BYTES) >> 1,
  );
}

/**
 * Decodes base64 text into a payload fit for the model, or says why it is not.
 * @param into where the values go, of the expected dimensions; a new array if left out
 * @param native where the values are that a payload does not hold itself; `missing` if left out
 */
export function decodePayload(
  base64: string,
  expected: { readonly fingerprint: string; readonly dimensions: number },
  into?: Float32Array,
  native: NativeValues = () => 'missing',
): VectorPayload | PayloadProblem {
  makeRoom(base64.length);
  const bytes = scratch.subarray(0, scratch.write(base64, 'base64'));
  const header = readHeader(bytes);
  if (header === undefined) return 'malformed';
  if (header.fingerprint !== expected.fingerprint) return 'other_model';
  if (header.dimensions !== expected.dimensions) return 'other_dimensions';
  const vector = into ?? new Float32Array(header.dimensions);
  const sum =
    header.codec === 'f16'
      ? readHalves(vector)
      : header.codec === 'f32'
        ? readFloats(bytes, vector)
        : native(vector);
  if (typeof sum === 'string') return sum;
  // A sum is finite only if every term is.
  if (!Number.isFinite(sum)) return 'not_finite';
  return { codec: header.codec, fingerprint: header.fingerprint, textHash: header.textHash, vector };
}

/** Fills the vector and returns the sum of its values. */
function readFloats(bytes: Buffer, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = bytes.readFloatLE(HEADER_BYTES + i * 4);
    vector[i] = value;
    sum += value;
  }
  return sum;
}

function readHalves(vector: Float32Array): number {
  const halves = scratchHalves;
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    const half = halves[i] as number;
    const value = HALVES[LITTLE_ENDIAN ? half : ((half & 0xff) << 8) | (half >> 8)] as number;
    vector[i] = value;
    sum += value;
  }
  return sum;
}

/** All 65,536 half floats as singles: a look-up is several times faster than taking the bits apart. */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
});

const SINGLE = new Float32Array(1);
const SINGLE_BITS = new Uint32Array(SINGLE.buffer);

/** Bits of the half float nearest to the value, ties to even (IEEE 754 section 4.3.1). */
function halfOf(value: number): number {
  SINGLE[0] = value;
  const bits = SINGLE_BITS[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: in units of 2^-24.
    const units = Math.abs(value) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
  }
  const rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}
