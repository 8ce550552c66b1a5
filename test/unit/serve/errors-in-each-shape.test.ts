/** Errors have the status of their kind and the form of the service whose client is calling. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TwinrankError, type ErrorCode } from '../../../src/errors.js';
import { AngleEncoder, servedFixture, serveModel, type Served } from './fixtures.js';

const RERANK = { query: '0', documents: ['1'] };
const TEI_RERANK = { query: '0', texts: ['1'] };

describe('a request that cannot be meant', () => {
  const served = servedFixture({}, { maxTexts: 3, maxBodyBytes: 2000 });

  for (const [what, body, field] of [
    ['no query', { documents: ['1'] }, 'query'],
    ['a query of white space', { ...RERANK, query: ' \n' }, 'query'],
    ['a query that is no text', { ...RERANK, query: 7 }, 'query'],
    ['no documents', { query: '0' }, 'documents'],
    ['an empty list', { query: '0', documents: [] }, 'documents'],
    ['one text for a list', { query: '0', documents: '1' }, 'documents'],
    ['a document that is a number', { query: '0', documents: ['1', 2] }, 'documents[1]'],
    ['a document without text', { query: '0', documents: [{ title: 'x' }] }, 'documents[0].text'],
    ['a document whose text is a list', { query: '0', documents: [{ text: [] }] }, 'documents[0].text'],
    ['top_n of nothing', { ...RERANK, top_n: 0 }, 'top_n'],
    ['top_n that is no number', { ...RERANK, top_n: '3' }, 'top_n'],
    ['a switch that is none', { ...RERANK, return_documents: 'yes' }, 'return_documents'],
    ['chunks that are no number', { ...RERANK, max_chunks_per_doc: 'x' }, 'max_chunks_per_doc'],
    ['fields that are none', { ...RERANK, rank_fields: [1] }, 'rank_fields'],
  ] as const) {
    it(`/v1/rerank, ${what}: 400 that names ${field}`, async () => {
      const { status, json } = await served.post('/v1/rerank', body);
      assert.equal(status, 400);
      const { message, detail } = json as { message: string; detail: string };
      assert.ok(message.startsWith(`"${field}" `), message);
      assert.equal(detail, message);
    });
  }

  for (const [what, body, field] of [
    ['no input', {}, 'input'],
    ['an empty text', { input: '' }, 'input'],
    ['an empty text among others', { input: ['a', ''] }, 'input[1]'],
    ['an empty list', { input: [] }, 'input'],
    ['tokens', { input: [1, 2] }, 'input'],
    ['lists of tokens', { input: [[1, 2]] }, 'input'],
    ['an unknown format', { input: 'a', encoding_format: 'hex' }, 'encoding_format'],
    ['other dimensions', { input: 'a', dimensions: 1 }, 'dimensions'],
    ['an unknown kind', { input: 'a', input_type: 'image' }, 'input_type'],
    ['two kinds', { input: 'a', input_type: 'query', prompt_name: 'passage' }, 'prompt_name'],
  ] as const) {
    it(`/v1/embeddings, ${what}: 400 with the parameter ${field}`, async () => {
      const { status, json } = await served.post('/v1/embeddings', body);
      assert.equal(status, 400);
      const { error } = json as { error: { message: string; type: string; param: string; code: unknown } };
      assert.equal(error.param, field);
      assert.equal(error.type, 'invalid_request_error');
      assert.equal(error.code, null);
      assert.ok(error.message.startsWith(`"${field}" `), error.message);
    });
  }

  for (const [what, path, body, expected, type] of [
    ['no inputs', '/embed', {}, 422, 'Validation'],
    ['an empty text', '/embed', { inputs: '' }, 400, 'Empty'],
    ['tokens', '/embed', { inputs: [1] }, 422, 'Validation'],
    ['vectors that shall not have length 1', '/embed', { inputs: 'a', normalize: false }, 422, 'Validation'],
    ['an unknown prompt', '/embed', { inputs: 'a', prompt_name: 'sts' }, 422, 'Validation'],
    ['too many inputs', '/embed', { inputs: ['a', 'b', 'c', 'd'] }, 413, 'Validation'],
    [
      'a long input that must not be cut',
      '/embed',
      { inputs: 'a b c d e f g h i', truncate: false },
      413,
      'Validation',
    ],
    ['a text that is a number', '/rerank', { query: '0', texts: [1] }, 422, 'Validation'],
    ['no texts', '/rerank', { query: '0', texts: [] }, 400, 'Empty'],
    ['cutting from the left', '/rerank', { ...TEI_RERANK, truncation_direction: 'Left' }, 422, 'Validation'],
    ['no object', '/rerank', [1], 400, 'Validation'],
    ['no JSON', '/rerank', '{"query":', 400, 'Validation'],
  ] as const) {
    it(`${path}, ${what}: ${expected} of type ${type}`, async () => {
      const { status, json } = await served.post(path, body);
      assert.equal(status, expected);
      assert.deepEqual(Object.keys(json as object), ['error', 'error_type']);
      assert.equal((json as { error_type: string }).error_type, type);
    });
  }

  it('no JSON and other kinds of JSON: 400', async () => {
    for (const body of ['{"query":', '"text"', '[]', 'null', '{"query":"0"}}']) {
      const { status, json } = await served.post('/v1/rerank', body);
      assert.equal(status, 400, body);
      assert.match((json as { message: string }).message, /JSON/);
    }
  });

  it('too many documents and too many bytes: 413, also when they come compressed', async () => {
    const many = await served.post('/v1/rerank', { query: '0', documents: ['1', '2', '3', '4'] });
    assert.equal(many.status, 413);
    assert.match(many.text, /"documents\\" has 4 entries; at most 3/);
    const long = JSON.stringify({ query: '0', documents: ['1'.repeat(2000)] });
    assert.equal((await served.post('/v2/rerank', long)).status, 413);
    const packed = await fetch(`${served.url}/v1/rerank`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(long),
    });
    assert.equal(packed.status, 413);
    assert.match(await packed.text(), /more than 2000 bytes/);
  });

  it('reads a compressed body within the limit', async () => {
    const response = await fetch(`${served.url}/v1/rerank`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify(RERANK)),
    });
    assert.equal(response.status, 200);
  });

  it('another method: 405 with the one that is taken; another path: 404', async () => {
    const other = await served.get('/v1/rerank');
    assert.equal(other.status, 405);
    assert.equal(other.headers.get('allow'), 'POST');
    assert.equal((await served.get('/v1/chat/completions')).status, 404);
    assert.equal((await served.post('/predict', {})).status, 404);
  });
});

describe('a model that cannot', () => {
  const failing = (code: ErrorCode): Promise<Served> => {
    const encoder = Object.assign(new AngleEncoder(), {
      encode: () => Promise.reject(new TwinrankError(code, 'The reason.')),
    });
    return serveModel({ encoder });
  };

  for (const [code, status, ofTei, type, openaiType] of [
    ['overloaded', 429, 429, 'Overloaded', 'rate_limit_exceeded'],
    ['not_ready', 503, 503, 'Unhealthy', 'server_error'],
    ['body_too_large', 413, 413, 'Validation', 'invalid_request_error'],
    ['cannot_tokenise', 422, 422, 'Tokenizer', 'invalid_request_error'],
    ['encode_failed', 500, 424, 'Backend', 'server_error'],
  ] as const) {
    it(`${code}: ${status}, with TEI ${ofTei}`, async () => {
      const served = await failing(code);
      try {
        for (const path of ['/v1/rerank', '/v2/rerank']) {
          const reply = await served.post(path, RERANK);
          assert.equal(reply.status, status);
          assert.equal((reply.json as { message: string }).message, 'The reason.');
          assert.equal(reply.headers.get('retry-after'), status === 429 || status === 503 ? '1' : null);
        }
        for (const [path, body] of [
          ['/rerank', TEI_RERANK],
          ['/embed', { inputs: 'a' }],
        ] as const) {
          const reply = await served.post(path, body);
          assert.equal(reply.status, ofTei);
          assert.deepEqual(reply.json, { error: 'The reason.', error_type: type });
        }
        const reply = await served.post('/v1/embeddings', { input: 'a' });
        assert.equal(reply.status, status);
        assert.equal((reply.json as { error: { type: string } }).error.type, openaiType);
        const isOurs = code === 'encode_failed';
        assert.equal(served.errors.length, isOurs ? 5 : 0);
      } finally {
        await served.close();
      }
    });
  }

  it('a failure that lies in the texts: 422 everywhere', async () => {
    const encoder = Object.assign(new AngleEncoder(), {
      encode: () => Promise.reject(new TwinrankError('encode_failed', 'The model failed.')),
    });
    const counter = {
      count: () => Promise.reject(new TwinrankError('cannot_tokenise', 'A text cannot be tokenised.')),
    };
    const served = await serveModel({ encoder, counter });
    try {
      for (const [path, body] of [
        ['/v1/rerank', RERANK],
        ['/v2/rerank', RERANK],
        ['/rerank', TEI_RERANK],
        ['/embed', { inputs: 'a' }],
        ['/v1/embeddings', { input: 'a' }],
      ] as const)
        assert.equal((await served.post(path, body)).status, 422, path);
    } finally {
      await served.close();
    }
  });

  it('a text that cannot be tokenised: 422, and its encoding is given up', async () => {
    let given: AbortSignal | undefined;
    const encoder = Object.assign(new AngleEncoder(), {
      encode: (_texts: readonly string[], { signal }: { signal: AbortSignal }) => {
        given = signal;
        return new Promise<never>(() => undefined);
      },
    });
    const counter = {
      count: () => Promise.reject(new TwinrankError('cannot_tokenise', 'A text cannot be tokenised.')),
    };
    const served = await serveModel({ encoder, counter });
    try {
      const { status } = await served.post('/v1/embeddings', { input: 'a' });
      assert.equal(status, 422);
      assert.equal(given?.aborted, true);
    } finally {
      await served.close();
    }
  });
});
