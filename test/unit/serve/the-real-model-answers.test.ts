/** The bundle that ships, behind the endpoints: the head's own probabilities, in the proxy's own order. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadBundle, type Bundle } from '../../../src/model/bundle.js';
import { createEncoderPool, type EncoderPool } from '../../../src/model/encoder-pool.js';
import { createHead, probability, type Head } from '../../../src/model/head.js';
import { createTokenCounter, type TokenCounterThread } from '../../../src/model/token-counter.js';
import { createCachedEncoder } from '../../../src/model/vector-cache.js';
import { scoreVectors } from '../../../src/rerank/score-hits.js';
import { BUNDLE_FOLDER, goldenIds } from '../model/fixtures.js';
import { serveModel, type Served } from './fixtures.js';

const QUERY = '退款好几天了还没看到钱';
const DOCUMENTS = [
  '谁能看到我的手机号',
  'How long a refund takes to reach your bank',
  '退款多久能到银行账户',
  'A parcel locker will not open',
  '退款多久能到银行账户',
  '',
];

describe('the real model', () => {
  let bundle: Bundle;
  let pool: EncoderPool;
  let head: Head;
  let counter: TokenCounterThread;
  let served: Served;
  before(async () => {
    bundle = await loadBundle(BUNDLE_FOLDER);
    pool = await createEncoderPool(bundle, { workers: 1, threadsPerWorker: 1 });
    head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
    counter = await createTokenCounter(bundle);
    const { name, maxTokens, normalize: normalized } = bundle.manifest;
    served = await serveModel({
      facts: { name, maxTokens, normalized },
      encoder: createCachedEncoder(pool, { maxTexts: 100 }),
      head,
      counter,
    });
  });
  after(async () => {
    await served.close();
    await counter.close();
    await pool.close();
  });

  it("/v1/rerank gives the head's probability, in the order in which the proxy puts hits", async () => {
    const { status, json } = await served.post('/v1/rerank', { query: QUERY, documents: DOCUMENTS });
    assert.equal(status, 200);
    const { results } = json as { results: { index: number; relevance_score: number }[] };
    // The second time from the cache.
    const cached = await served.post('/v1/rerank', { query: QUERY, documents: DOCUMENTS });
    assert.deepEqual((cached.json as { results: unknown }).results, results);

    const [query] = await pool.encode([QUERY], { kind: 'query' });
    const vectors = await pool.encode([...new Set(DOCUMENTS)], { kind: 'document' });
    const vectorOf = new Map([...new Set(DOCUMENTS)].map((text, i) => [text, vectors[i] as Float32Array]));
    const scorer = head.scorer(query as Float32Array);
    const { logOdds } = scoreVectors(
      DOCUMENTS.map((text) => vectorOf.get(text) as Float32Array),
      scorer,
    );
    const expected = logOdds.map((odds, index) => ({ index, score: probability(odds as number) }));
    expected.sort((a, b) => b.score - a.score);
    assert.deepEqual(
      results.map(({ index }) => index),
      expected.map(({ index }) => index),
    );
    // Scores are written in 18 characters.
    for (const [i, { score }] of expected.entries())
      assert.ok(Math.abs((results[i]?.relevance_score ?? -1) - score) <= 1e-16);
    assert.equal(results[0]?.index, 2);
    assert.equal(results[1]?.index, 4);
  });

  it('/v1/embeddings and /embed give the vectors of the encoder, queries and documents apart', async () => {
    const text = 'refund';
    for (const kind of ['query', 'document'] as const) {
      const [vector] = await pool.encode([text], { kind });
      const openai = await served.post('/v1/embeddings', {
        input: text,
        input_type: kind,
        encoding_format: 'base64',
      });
      const [entry] = (openai.json as { data: { embedding: string }[] }).data;
      const bytes = Buffer.from(entry?.embedding ?? '', 'base64');
      assert.deepEqual(bytes, Buffer.from((vector as Float32Array).buffer));
      const tei = await served.post('/embed', { inputs: text, prompt_name: kind });
      assert.deepEqual(Float32Array.from((tei.json as number[][])[0] ?? []), vector);
    }
  });

  it('counts tokens as the reference tokeniser does, and sees which texts are cut', async () => {
    const { documentPrefix: prefix, maxTokens } = bundle.manifest;
    const golden = goldenIds().filter(({ text }) => text.startsWith(prefix));
    assert.ok(golden.length > 0);
    const counts = await counter.count(
      golden.map(({ text }) => text.slice(prefix.length)),
      { kind: 'document' },
    );
    assert.deepEqual(
      counts.map((count) => Math.min(count, maxTokens)),
      golden.map(({ ids }) => ids.length),
    );
    const [short, long] = await counter.count(['a', 'word '.repeat(1000)], { kind: 'query' });
    assert.ok((short as number) < 10);
    assert.equal(long, maxTokens + 1);
  });
});
