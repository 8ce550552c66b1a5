/** `/v1/embeddings` and `/embed`: what goes in and what comes out. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { AngleEncoder, angleVector, servedFixture, serveModel } from './fixtures.js';

const floats = (text: string): number[] => Array.from(angleVector(text), (x) => Number(x.toPrecision(9)));

describe('vectors', () => {
  const encoder = new AngleEncoder();
  const served = servedFixture({ encoder });
  beforeEach(() => {
    encoder.calls.length = 0;
  });

  it('/v1/embeddings gives one for each input, in their order, with the tokens', async () => {
    const { status, json } = await served.post('/v1/embeddings', { model: 'any', input: ['at 2', '1'] });
    assert.equal(status, 200);
    assert.deepEqual(json, {
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: floats('at 2') },
        { object: 'embedding', index: 1, embedding: floats('1') },
      ],
      model: 'angles',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });

  it('/v1/embeddings gives base64 of little-endian floats on request', async () => {
    const { json } = await served.post('/v1/embeddings', { input: 'at 2', encoding_format: 'base64' });
    const [{ embedding } = { embedding: '' }] = (json as { data: { embedding: string }[] }).data;
    const bytes = Buffer.from(embedding, 'base64');
    assert.deepEqual([bytes.readFloatLE(0), bytes.readFloatLE(4)], Array.from(angleVector('at 2')));
  });

  it('counts the tokens that the model looks at, not those that it cuts off', async () => {
    const { json } = await served.post('/v1/embeddings', { input: 'a b c d e f g h i j k l' });
    assert.deepEqual((json as { usage: unknown }).usage, { prompt_tokens: 8, total_tokens: 8 });
  });

  it('/embed gives a list of lists, for a text and for several', async () => {
    assert.deepEqual((await served.post('/embed', { inputs: '1' })).json, [floats('1')]);
    const { json } = await served.post('/embed', { inputs: ['1', '2'], normalize: true, truncate: true });
    assert.deepEqual(json, [floats('1'), floats('2')]);
  });

  it('/embed brings vectors of another length to length 1, unless normalize is false', async () => {
    const long: AngleEncoder = Object.assign(new AngleEncoder(), {
      encode: () => Promise.resolve([Float32Array.of(3, 4)]),
    });
    const other = await serveModel({
      encoder: long,
      facts: { name: 'long', maxTokens: 8, normalized: false },
    });
    try {
      assert.deepEqual((await other.post('/embed', { inputs: 'x' })).json, [[0.600000024, 0.800000012]]);
      assert.deepEqual((await other.post('/embed', { inputs: 'x', normalize: false })).json, [[3, 4]]);
    } finally {
      await other.close();
    }
  });

  for (const [said, kind] of [
    [{}, 'document'],
    [{ input_type: 'query' }, 'query'],
    [{ input_type: 'search_query' }, 'query'],
    [{ prompt_name: 'query' }, 'query'],
    [{ prompt_name: 'passage' }, 'document'],
    [{ input_type: 'search_document' }, 'document'],
    [{ input_type: null }, 'document'],
  ] as const) {
    it(`${JSON.stringify(said)} makes a ${kind} of the text`, async () => {
      await served.post('/v1/embeddings', { input: '1', ...said });
      await served.post('/embed', { inputs: '2', ...said });
      assert.deepEqual(encoder.textsOf(kind), ['1', '2']);
    });
  }

  it('hundreds of inputs keep their order', async () => {
    const input = Array.from({ length: 300 }, (_, i) => `${i / 100}`);
    const { json } = await served.post('/v1/embeddings', { input });
    const { data } = json as { data: { index: number; embedding: number[] }[] };
    assert.deepEqual(
      data.map(({ index }) => index),
      input.map((_, i) => i),
    );
    assert.deepEqual(data[299]?.embedding, floats('2.99'));
  });
});
