import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { encodeTexts } from '../../../src/ingest/reindex/encode-texts.js';
import type { Encoder } from '../../../src/model/encoder.js';
import { encoderThat, vectorOf } from '../ingest/fixtures.js';

const NEVER = new AbortController().signal;

/** The fixture's encoder, with something before each call. */
function encoderAfter(happens: (call: number) => void): Encoder & { calls: number } {
  const inner = encoderThat(() => Promise.resolve());
  const outer = {
    ...inner,
    calls: 0,
    encode: async (...call: Parameters<Encoder['encode']>) => {
      happens(outer.calls++);
      return inner.encode(...call);
    },
  };
  return outer;
}

describe('encoding a page', () => {
  it('gives every text its own vector, or its own failure', async () => {
    const texts = Array.from({ length: 23 }, (_, i) => (i === 7 || i === 22 ? `fail ${i}` : `text ${i}`));
    const vectors = await encodeTexts(
      encoderThat(() => Promise.resolve()),
      texts,
      NEVER,
    );
    texts.forEach((text, i) => {
      if (text.startsWith('fail')) assert.match(String(vectors[i]), new RegExp(`Cannot encode "${text}"`));
      else assert.deepEqual(vectors[i], vectorOf(text));
    });
  });

  it('asks for nothing where there is nothing', async () => {
    const encoder = encoderAfter(() => undefined);
    assert.deepEqual(await encodeTexts(encoder, [], NEVER), []);
    assert.equal(encoder.calls, 0);
  });

  it('waits while the encoder is overloaded', async () => {
    const encoder = encoderAfter((call) => {
      if (call < 3) throw new TwinrankError('overloaded', 'full');
    });
    assert.deepEqual(await encodeTexts(encoder, ['a'], NEVER), [vectorOf('a')]);
    assert.equal(encoder.calls, 4);
  });

  it('ends as a whole where the encoder does, or where it is told to', async () => {
    const gone = encoderAfter(() => {
      throw new TwinrankError('not_ready', 'no thread');
    });
    await assert.rejects(encodeTexts(gone, ['a', 'b'], NEVER), { code: 'not_ready' });
    assert.equal(gone.calls, 1);
    const stop = new AbortController();
    const full = encoderAfter(() => {
      stop.abort();
      throw new TwinrankError('overloaded', 'full');
    });
    await assert.rejects(encodeTexts(full, ['a', 'b'], stop.signal), { code: 'cancelled' });
  });
});
