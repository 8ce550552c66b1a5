/** The stored form of a vector: exact where it can be, rounded to even where it must be, refused where it does not fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import {
  decodePayload,
  encodePayload,
  hashText,
  readHeader,
  type Codec,
} from '../../../src/search-engine/vector-payload.js';

const FINGERPRINT = '0123456789abcdef';
const HASH = hashText('a title');

const encode = (vector: Float32Array, codec: Codec): string =>
  encodePayload({ codec, fingerprint: FINGERPRINT, textHash: HASH, vector });

const decode = (base64: string, dimensions: number): Float32Array => {
  const payload = decodePayload(base64, { fingerprint: FINGERPRINT, dimensions });
  assert.ok(typeof payload !== 'string', String(payload));
  assert.equal(payload.textHash, HASH);
  assert.equal(payload.fingerprint, FINGERPRINT);
  return payload.vector;
};

/** Value of a half float by the definition of IEEE 754 binary16. */
function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? fraction * 2 ** -14
        : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

const FINITE_HALVES = Array.from({ length: 0x7c00 }, (_, bits) => halfValue(bits));

/** Nearest finite half by search, ties to the even bit pattern; 65,520 and above are infinite. */
function nearestHalf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return Math.sign(value) * Infinity;
  let low = 0;
  let high = FINITE_HALVES.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((FINITE_HALVES[middle] as number) <= magnitude) low = middle;
    else high = middle - 1;
  }
  const below = FINITE_HALVES[low] as number;
  const above = FINITE_HALVES[low + 1] ?? 65536;
  const rest = magnitude - below - (above - magnitude);
  const nearest = rest > 0 || (rest === 0 && low % 2 === 1) ? above : below;
  return value < 0 ? -nearest : nearest;
}

describe('f32 payloads', () => {
  it('give back every bit', () => {
    const random = createRandom(3);
    const vector = Float32Array.from({ length: 384 }, () => (random() - 0.5) * 10 ** (random() * 60 - 30));
    vector.set([0, -0, 2 ** -149, 3.4028234663852886e38, -1]);
    assert.deepEqual(Buffer.from(decode(encode(vector, 'f32'), 384).buffer), Buffer.from(vector.buffer));
  });
});

describe('f16 payloads', () => {
  it('give back all 65,536 halves', () => {
    for (let start = 0; start < 0x10000; start += 0x400) {
      const bits = Array.from({ length: 0x400 }, (_, i) => start + i);
      const finite = bits.filter((b) => Number.isFinite(halfValue(b)));
      const vector = Float32Array.from(finite, halfValue);
      const stored = Buffer.from(encode(vector, 'f16'), 'base64').subarray(20);
      finite.forEach((b, i) => assert.equal(stored.readUInt16LE(i * 2), b));
      assert.deepEqual([...decode(encode(vector, 'f16'), finite.length)], [...vector]);
    }
  });

  it('round to the nearest half, ties to even', () => {
    const values: number[] = [];
    for (let i = 0; i + 1 < FINITE_HALVES.length; i++) {
      const [a, b] = [FINITE_HALVES[i] as number, FINITE_HALVES[i + 1] as number];
      const tie = Math.fround((a + b) / 2);
      const step = Math.max(tie * 2 ** -23, 2 ** -149);
      values.push(tie, Math.fround(tie - step), Math.fround(tie + step));
    }
    const random = createRandom(5);
    for (let i = 0; i < 20_000; i++) values.push(Math.fround((random() - 0.5) * 2 ** (random() * 44 - 27)));
    for (let at = 0; at < values.length; at += 4096) {
      const vector = Float32Array.from(values.slice(at, at + 4096).map((v, i) => (i % 2 === 1 ? -v : v)));
      const expected = Array.from(vector, nearestHalf);
      const stored = Buffer.from(encode(vector, 'f16'), 'base64').subarray(20);
      assert.deepEqual(
        expected.map((_, i) => halfValue(stored.readUInt16LE(i * 2))),
        expected,
      );
    }
  });

  it('become infinite from 65,520 on and are then refused', () => {
    assert.deepEqual(
      [...decode(encode(Float32Array.of(65504, 65519.996, -65519), 'f16'), 3)],
      [65504, 65504, -65504],
    );
    const read = decodePayload(encode(Float32Array.of(65520), 'f16'), {
      fingerprint: FINGERPRINT,
      dimensions: 1,
    });
    assert.equal(read, 'not_finite');
  });
});

describe('a payload that does not fit', () => {
  const good = encode(Float32Array.of(0.5, -0.25, 1), 'f32');
  const expected = { fingerprint: FINGERPRINT, dimensions: 3 };
  const changed = (change: (bytes: Buffer) => Buffer | undefined): string => {
    const bytes = Buffer.from(good, 'base64');
    return (change(bytes) ?? bytes).toString('base64');
  };

  it('of another model or other dimensions says so', () => {
    assert.equal(decodePayload(good, { fingerprint: 'f'.repeat(16), dimensions: 3 }), 'other_model');
    assert.equal(decodePayload(good, { fingerprint: FINGERPRINT, dimensions: 4 }), 'other_dimensions');
  });

  it('that is not finite says so', () => {
    for (const codec of ['f32', 'f16'] as const)
      for (const bad of [[NaN], [Infinity], [-Infinity], [Infinity, -Infinity]]) {
        const vector = Float32Array.from([...bad, 1, 1]).subarray(0, 3);
        assert.equal(decodePayload(encode(vector, codec), expected), 'not_finite', `${codec} ${String(bad)}`);
      }
    // A sum of the largest numbers does not overflow.
    const large = encode(new Float32Array(3).fill(3.4e38), 'f32');
    assert.ok(typeof decodePayload(large, expected) !== 'string');
  });

  it('that is malformed says so', () => {
    const malformed = [
      '', '!!!', 'AA==', 'hello world', good.slice(0, 20),
      changed((b) => b.subarray(0, b.length - 1)),
      changed((b) => Buffer.concat([b, Buffer.from([0])])),
      changed((b) => { b[0] = 2; return undefined; }),
      changed((b) => { b[1] = 0; return undefined; }),
      changed((b) => { b[1] = 3; return undefined; }),
      changed((b) => { b[1] = 4; return undefined; }),
      changed((b) => { b[1] = 2; return undefined; }),
      changed((b) => { b.writeUInt16LE(65535, 2); return undefined; }),
    ]; // prettier-ignore
    for (const text of malformed) assert.equal(decodePayload(text, expected), 'malformed', text);
  });

  it('cannot be written with a fingerprint or hash that is not 16 hex digits', () => {
    const vector = Float32Array.of(1);
    for (const fingerprint of ['', '01', 'x'.repeat(16)])
      assert.throws(() => encodePayload({ codec: 'f32', fingerprint, textHash: HASH, vector }), /bug/);
    assert.throws(
      () => encodePayload({ codec: 'f32', fingerprint: FINGERPRINT, textHash: 'zz', vector }),
      /bug/,
    );
  });
});

describe('the header alone', () => {
  it('tells model, text and size', () => {
    const header = readHeader(Buffer.from(encode(new Float32Array(384), 'f16'), 'base64'));
    assert.deepEqual(header, { codec: 'f16', dimensions: 384, fingerprint: FINGERPRINT, textHash: HASH });
    assert.match(HASH, /^[0-9a-f]{16}$/);
    assert.notEqual(hashText('a title'), hashText('A title'));
  });
});

describe('a header whose values are elsewhere', () => {
  const vector = Float32Array.of(0.5, -0.25, 1);
  const base64 = encodePayload({ codec: 'native', fingerprint: FINGERPRINT, textHash: HASH, vector });
  const expected = { fingerprint: FINGERPRINT, dimensions: 3 };

  it('takes 20 bytes and tells model, text and size', () => {
    const bytes = Buffer.from(base64, 'base64');
    assert.equal(bytes.length, 20);
    assert.deepEqual(readHeader(bytes), {
      codec: 'native',
      dimensions: 3,
      fingerprint: FINGERPRINT,
      textHash: HASH,
    });
  });

  it('has the values that are found there', () => {
    const payload = decodePayload(base64, expected, undefined, (into) => {
      into.set(vector);
      return 1.25;
    });
    assert.ok(typeof payload !== 'string');
    assert.deepEqual(payload.vector, vector);
    assert.equal(payload.textHash, HASH);
  });

  it('is of no use where they are missing, malformed or not finite', () => {
    assert.equal(decodePayload(base64, expected), 'missing');
    for (const problem of ['missing', 'malformed'] as const)
      assert.equal(
        decodePayload(base64, expected, undefined, () => problem),
        problem,
      );
    assert.equal(
      decodePayload(base64, expected, undefined, () => Infinity),
      'not_finite',
    );
    assert.equal(decodePayload(base64, { ...expected, fingerprint: 'f'.repeat(16) }), 'other_model');
    assert.equal(decodePayload(base64, { ...expected, dimensions: 4 }), 'other_dimensions');
  });
});
