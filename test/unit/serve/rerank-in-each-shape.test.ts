/** `/v1/rerank`, `/v2/rerank` and `/rerank`: what goes in and what comes out. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { probability } from '../../../src/model/head.js';
import { decimal } from '../../../src/serve/numbers.js';
import { AngleEncoder, angleLogOdds, servedFixture } from './fixtures.js';

interface CohereReply {
  readonly id: string;
  readonly model: string;
  readonly results: readonly { index: number; relevance_score: number; document?: unknown }[];
  readonly meta: unknown;
  readonly usage?: unknown;
}

/** As scores are written: in 18 characters. */
const shown = (score: number): number => Number(decimal(score));
const shownProbability = (query: string, document: string): number =>
  shown(probability(angleLogOdds(query, document)));
const shownLogOdds = (query: string, document: string): number => shown(angleLogOdds(query, document));

describe('reranking', () => {
  const encoder = new AngleEncoder();
  const served = servedFixture({ encoder });
  beforeEach(() => {
    encoder.calls.length = 0;
  });

  const rerank = async (path: string, body: unknown): Promise<CohereReply> => {
    const { status, json, text } = await served.post(path, body);
    assert.equal(status, 200, text);
    return json as CohereReply;
  };

  for (const [path, version] of [
    ['/v1/rerank', '1'],
    ['/v2/rerank', '2'],
  ] as const) {
    it(`${path} gives the head's probabilities, best first, with the places in the request`, async () => {
      const documents = ['at 2', 'at 0.1', 'at 1'];
      const reply = await rerank(path, { model: 'any', query: 'near 0', documents });
      assert.deepEqual(
        reply.results,
        [1, 2, 0].map((index) => ({
          index,
          relevance_score: shownProbability('near 0', documents[index] ?? ''),
        })),
      );
      assert.equal(reply.model, 'angles');
      assert.match(reply.id, /^[0-9a-f-]{36}$/);
      assert.deepEqual(reply.meta, {
        api_version: { version },
        billed_units: { search_units: 1 },
      });
      // Jina's clients read it, and they call version 1.
      assert.deepEqual(reply.usage, version === '1' ? { total_tokens: 16, prompt_tokens: 16 } : undefined);
    });
  }

  it('encodes the query as a query and the documents as documents', async () => {
    await rerank('/v1/rerank', { query: 'q 0', documents: ['d 1', { text: 'd 2' }] });
    assert.deepEqual(encoder.textsOf('query'), ['q 0']);
    assert.deepEqual(encoder.textsOf('document'), ['d 1', 'd 2']);
  });

  it('leaves equal documents in their order', async () => {
    const { results } = await rerank('/v1/rerank', { query: '0', documents: ['1', 'x 1', '0', 'y 1'] });
    assert.deepEqual(
      results.map(({ index }) => index),
      [2, 0, 1, 3],
    );
  });

  it('cuts the results at top_n, and takes a larger one for all', async () => {
    const ask = (top_n: unknown): Promise<CohereReply> =>
      rerank('/v1/rerank', { query: '0', documents: ['2', '1', '0'], top_n });
    assert.deepEqual(
      (await ask(2)).results.map(({ index }) => index),
      [2, 1],
    );
    assert.equal((await ask(99)).results.length, 3);
    assert.equal((await ask(null)).results.length, 3);
  });

  it('gives documents back on request, with all that they hold, and in version 2 never', async () => {
    const body = {
      query: '0',
      documents: ['1 naïve 退款 \u{1f600}', { text: '0', id: 7 }],
      return_documents: true,
    };
    const documents = (await rerank('/v1/rerank', body)).results.map(({ document }) => document);
    assert.deepEqual(documents, [{ text: '0', id: 7 }, { text: '1 naïve 退款 \u{1f600}' }]);
    const second = (await rerank('/v2/rerank', body)).results;
    assert.ok(second.every((result) => !('document' in result)));
  });

  it('joins the fields that rank_fields names', async () => {
    await rerank('/v1/rerank', {
      query: '0',
      documents: [{ title: 'T', body: 'B', text: 'no' }, 'plain', { text: 'only text' }],
      rank_fields: ['title', 'body'],
    });
    assert.deepEqual(encoder.textsOf('document'), ['T\nB', 'plain', 'only text']);
  });

  it('takes an empty document: hits without the field that is compared have one', async () => {
    const { results } = await rerank('/v1/rerank', { query: '0', documents: ['', '1'] });
    assert.equal(results.length, 2);
  });

  it('/rerank gives a list by score, with texts and raw scores on request', async () => {
    const texts = ['at 1', 'at 0'];
    const plain = await served.post('/rerank', { query: '0', texts });
    assert.deepEqual(plain.json, [
      { index: 1, score: shownProbability('0', 'at 0') },
      { index: 0, score: shownProbability('0', 'at 1') },
    ]);
    const raw = await served.post('/rerank', { query: '0', texts, raw_scores: true, return_text: true });
    assert.deepEqual(raw.json, [
      { index: 1, text: 'at 0', score: shownLogOdds('0', 'at 0') },
      { index: 0, text: 'at 1', score: shownLogOdds('0', 'at 1') },
    ]);
  });

  it('/rerank cuts long texts, unless truncate is false', async () => {
    const texts = ['short', 'a text of many more words than there is room for'];
    assert.equal((await served.post('/rerank', { query: '0', texts })).status, 200);
    const { status, json } = await served.post('/rerank', { query: '0', texts, truncate: false });
    assert.equal(status, 413);
    assert.deepEqual(json, {
      error: '"texts" must have at most 8 tokens a text; text 1 has more. Set "truncate" to cut it.',
      error_type: 'Validation',
    });
  });
});
