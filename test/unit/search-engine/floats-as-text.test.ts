/** Single floats as JSON numbers: the same bits come back, and no digit is more than is needed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../src/evaluate/random.js';
import { floatsText, readFloatsText } from '../../../src/search-engine/float-text.js';

const back = (text: string, count: number): Float32Array => {
  const bytes = Buffer.from(`{"v": ${text} }`);
  const vector = new Float32Array(count);
  assert.ok(typeof readFloatsText(bytes, { start: 6, end: 6 + text.length }, vector) === 'number', text);
  return vector;
};
const bits = (vector: Float32Array): Uint32Array => new Uint32Array(vector.buffer);

/** Floats of every exponent, subnormals among them, and those at the edges of each. */
function oddFloats(): Float32Array {
  const patterns: number[] = [];
  for (let exponent = 0; exponent < 255; exponent++)
    for (const fraction of [0, 1, 2, 0x3fffff, 0x400000, 0x555555, 0x7ffffe, 0x7fffff])
      for (const sign of [0, 0x80000000]) patterns.push((sign | (exponent << 23) | fraction) >>> 0);
  return new Float32Array(Uint32Array.from(patterns).buffer);
}

/** Any finite float. */
function randomFloats(count: number): Float32Array {
  const random = createRandom(11);
  const patterns = Uint32Array.from({ length: count }, () => Math.floor(random() * 2 ** 32));
  return new Float32Array(patterns.buffer).filter(Number.isFinite);
}

describe('single floats as text', () => {
  it('come back with every bit, whatever their size', () => {
    for (const vector of [oddFloats(), randomFloats(50_000)]) {
      const text = floatsText(vector);
      assert.deepEqual(bits(back(text, vector.length)), bits(vector));
      assert.ok(JSON.parse(text));
    }
  });

  it('come back as values between -1 and 1, as models make them', () => {
    const random = createRandom(12);
    const vector = Float32Array.from({ length: 20_000 }, () => (random() - 0.5) / 5);
    const text = floatsText(vector);
    assert.deepEqual(bits(back(text, vector.length)), bits(vector));
    assert.ok(text.length / vector.length < 13.5, String(text.length / vector.length));
  });

  it('have no digit too many', () => {
    const digits = (text: string): number => text.replace(/e.*|[-.]/g, '').replace(/^0+|0+$/g, '').length;
    for (const value of [...oddFloats(), ...randomFloats(2_000)]) {
      if (value === 0) continue;
      const text = floatsText(Float32Array.of(value)).slice(1, -1);
      const fewer = digits(text) - 1;
      if (fewer > 0) assert.notEqual(Math.fround(Number(value.toPrecision(fewer))), value, text);
    }
    assert.equal(
      floatsText(Float32Array.of(0.1, 1, -0, 2 ** -149, 3.4028234663852886e38, 16777216, 0.3333333432674408)),
      '[0.1,1,-0.0,1e-45,3.4028235e+38,16777216,0.33333334]',
    );
  });

  it('of another form are refused', () => {
    for (const text of [
      '[]',
      '[1]',
      '[1,2,3]',
      '[1,"2"]',
      '[1,null]',
      '"x"',
      '{}',
      '1',
      '[1,[2]]',
      '[1,',
      'NaN',
    ]) {
      const range = { start: 0, end: text.length };
      assert.equal(readFloatsText(Buffer.from(text), range, new Float32Array(2)), 'malformed', text);
    }
    assert.equal(readFloatsText(Buffer.from('[1, 2.50]'), { start: 0, end: 9 }, new Float32Array(2)), 3.5);
  });
});
