/** Keys, places and callers who leave; and what is told about the model. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { keysOfFile } from '../../../src/http/api-key.js';
import type { EncodeOptions } from '../../../src/model/encoder.js';
import type { ModelAppOptions } from '../../../src/serve/app.js';
import { AngleEncoder, angleVector, serveModel, type Served } from './fixtures.js';

/** An encoder that holds every call until it is released. */
class HeldEncoder extends AngleEncoder {
  #release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));
  readonly signals: AbortSignal[] = [];
  #onCall: () => void = () => undefined;

  override async encode(texts: readonly string[], { signal }: EncodeOptions): Promise<Float32Array[]> {
    if (signal !== undefined) this.signals.push(signal);
    this.#onCall();
    await this.#released;
    return texts.map(angleVector);
  }

  /** Resolves with the next call. */
  called(): Promise<void> {
    return new Promise((resolve) => (this.#onCall = resolve));
  }

  release(): void {
    this.#release();
  }
}

async function serving(
  model: Parameters<typeof serveModel>[0],
  options: Partial<ModelAppOptions>,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  const served = await serveModel(model, options);
  try {
    await work(served);
  } finally {
    await served.close();
  }
}

describe('API keys', () => {
  const apiKeys = ['first-key', 'second-key'];
  const paths = ['/v1/rerank', '/v2/rerank', '/rerank', '/embed', '/v1/embeddings'];
  const body = { query: '0', documents: ['1'], texts: ['1'], inputs: '1', input: '1' };

  it('one of them is needed everywhere but for /health', () =>
    serving({}, { apiKeys }, async (served) => {
      for (const path of paths) {
        for (const authorization of [
          undefined,
          'Bearer wrong',
          'first-key',
          'Basic first-key',
          'Bearer first-key2',
        ]) {
          const headers = authorization === undefined ? {} : { authorization };
          const refused = await served.post(path, body, headers);
          assert.equal(refused.status, 401, `${path} ${authorization}`);
          assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
          assert.doesNotMatch(refused.text, /first-key|second-key|wrong/);
        }
        for (const key of apiKeys)
          assert.equal((await served.post(path, body, { authorization: `Bearer ${key}` })).status, 200);
      }
      for (const path of ['/info', '/v1/models']) {
        assert.equal((await served.get(path)).status, 401);
        assert.equal((await served.get(path, { authorization: 'bearer second-key' })).status, 200);
      }
      assert.equal((await served.get('/health')).status, 200);
    }));

  it('OpenAI clients are told so in their own words', () =>
    serving({}, { apiKeys }, async (served) => {
      const { json } = await served.post('/v1/embeddings', body);
      const { error } = json as { error: { code: string; type: string } };
      assert.equal(error.code, 'invalid_api_key');
      assert.equal(error.type, 'invalid_request_error');
    }));

  it('stand one a line in their file', () => {
    assert.deepEqual(keysOfFile('# of the shop\nabc\r\n\n  def  \n'), ['abc', 'def']);
    assert.deepEqual(keysOfFile('\n#\n'), []);
  });
});

describe('places', () => {
  it('more requests than there are places: 429 with Retry-After, and later there is room', async () => {
    const encoder = new HeldEncoder();
    await serving({ encoder }, { maxConcurrentRequests: 1 }, async (served) => {
      const called = encoder.called();
      const first = served.post('/embed', { inputs: '1' });
      await called;
      const refused = await served.post('/embed', { inputs: '2' });
      assert.equal(refused.status, 429);
      assert.equal(refused.headers.get('retry-after'), '1');
      encoder.release();
      assert.equal((await first).status, 200);
      assert.equal((await served.post('/embed', { inputs: '3' })).status, 200);
    });
  });

  it('a caller who leaves frees its place, and its work is given up', async () => {
    const encoder = new HeldEncoder();
    await serving({ encoder }, { maxConcurrentRequests: 1 }, async (served) => {
      const called = encoder.called();
      const leaver = request(`${served.url}/v1/rerank`, { method: 'POST' });
      leaver.on('error', () => undefined);
      leaver.end(JSON.stringify({ query: '0', documents: ['1', '2'] }));
      await called;
      const [signal] = encoder.signals;
      assert.ok(signal !== undefined && !signal.aborted);
      const aborted = once(signal, 'abort');
      leaver.destroy();
      await aborted;
      encoder.release();
      let status = 429;
      while (status === 429) ({ status } = await served.post('/embed', { inputs: '3' }));
      assert.equal(status, 200);
      assert.deepEqual(served.errors, []);
    });
  });

  it('a caller who leaves in the middle of its body frees its place', async () => {
    await serving({}, { maxConcurrentRequests: 1 }, async (served) => {
      const leaver = request(`${served.url}/embed`, {
        method: 'POST',
        headers: { 'content-length': '1000' },
      });
      leaver.on('error', () => undefined);
      leaver.write('{"inputs":');
      let status = 200;
      while (status === 200) ({ status } = await served.post('/embed', { inputs: '1' }));
      assert.equal(status, 429);
      leaver.destroy();
      while (status === 429) ({ status } = await served.post('/embed', { inputs: '1' }));
      assert.equal(status, 200);
      assert.deepEqual(served.errors, []);
    });
  });
});

describe('the model', () => {
  it('is told of at /info and /v1/models', () =>
    serving({}, { maxTexts: 5 }, async (served) => {
      const info = (await served.get('/info')).json as Record<string, unknown>;
      assert.equal(info['model_id'], 'angles');
      assert.equal(info['max_input_length'], 8);
      assert.equal(info['max_client_batch_size'], 5);
      assert.equal(info['version'], '1.2.3');
      const list = (await served.get('/v1/models')).json as { data: Record<string, unknown>[] };
      assert.equal(list.data[0]?.['id'], 'angles');
      assert.equal(list.data[0]?.['object'], 'model');
    }));

  it('that is not up makes /health answer 503', () =>
    serving({ isReady: () => false }, {}, async (served) => {
      const { status, json } = await served.get('/health');
      assert.equal(status, 503);
      assert.equal((json as { error_type: string }).error_type, 'Unhealthy');
    }));
});
