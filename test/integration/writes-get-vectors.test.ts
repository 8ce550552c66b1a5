/** Writes through the sidecar: the engine's own replies, and a fresh vector in every document that has a text. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TwinrankError } from '../../src/errors.js';
import type { Encoder } from '../../src/model/encoder.js';
import { decodePayload, hashText } from '../../src/search-engine/vector-payload.js';
import { createSettingsReader } from '../../src/search-engine/index-settings.js';
import { applyToTemplate } from '../../src/search-engine/mapping-apply.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('writes get vectors', () => {
  const { engine, stack } = stackFixture();

  async function configured(): Promise<string> {
    const index = engine.index();
    await stack.setUp(index);
    return index;
  }
  const put = (url: string, path: string, body: string): Promise<RawResponse> =>
    rawRequest({ url, method: 'PUT', path, headers: JSON_TYPE, body });
  const bulk = (
    url: string,
    path: string,
    body: string | Buffer,
    headers: Record<string, string> = NDJSON,
  ): Promise<RawResponse> => rawRequest({ url, method: 'POST', path, headers, body });
  const outcome = (answer: RawResponse): string => String(answer.headers['x-twinrank']);
  async function sourceOf(index: string, id: string): Promise<Record<string, unknown>> {
    const answer = (await engine.call('GET', `/${index}/_doc/${id}`)) as { _source: Record<string, unknown> };
    return answer._source;
  }
  const withoutTook = (answer: RawResponse): string =>
    answer.body.toString().replace(/"took":\d+/, '"took":0');

  it('puts no vector where a mapping that names our field lacks it, and nothing is lost', async () => {
    const index = await configured();
    const mapping = (await engine.call('GET', `/${index}/_mapping`)) as Record<
      string,
      { mappings: { _meta: unknown } }
    >;
    const bare = engine.index();
    await engine.call('PUT', `/${bare}`, { mappings: { _meta: mapping[index]?.mappings._meta } });
    const answer = await put(stack.sidecar, `/${bare}/_doc/1`, '{"title":"a title"}');
    assert.equal(answer.status, 201);
    assert.equal(outcome(answer), 'ingested; settings_unavailable=1');
    assert.deepEqual(await sourceOf(bare, '1'), { title: 'a title' });
    await assert.rejects(
      createSettingsReader(stack.client).forWrite(bare),
      (error: unknown) =>
        error instanceof TwinrankError && /has no such field.*mapping apply/.test(error.message),
    );
  });

  it('stores the vector that the model gives, with the hash of its text', async () => {
    const index = await configured();
    const title = 'Reset your password 重置密码';
    await put(stack.sidecar, `/${index}/_doc/1`, JSON.stringify({ title }));
    const stored = (await sourceOf(index, '1'))['twinrank_vector'];
    const payload = decodePayload(String(stored), stack.bundle);
    assert.ok(typeof payload === 'object');
    assert.equal(payload.textHash, hashText(title));
    const [expected] = await stack.encoder.encode([title], { kind: 'document' });
    payload.vector.forEach((value, i) => assert.ok(Math.abs(value - (expected?.[i] ?? NaN)) < 1e-4));
  });

  for (const [name, source, expected] of [
    ['missing', '{"body":"x"}', 'ingested; no_text=1'],
    ['null', '{"title":null}', 'ingested; no_text=1'],
    ['empty', '{"title":""}', 'ingested; no_text=1'],
    ['a number', '{"title":42}', 'ingested; vector=1'],
    ['an array of texts', '{"title":["red","bicycle"]}', 'ingested; vector=1'],
    ['100,000 characters long', `{"title":"${'长 title '.repeat(12_500)}"}`, 'ingested; vector=1'],
  ] as const) {
    it(`takes a title that is ${name}`, async () => {
      const index = await configured();
      const answer = await put(stack.sidecar, `/${index}/_doc/1`, source);
      assert.equal(answer.status, 201, answer.body.toString());
      assert.equal(outcome(answer), expected);
      assert.equal('twinrank_vector' in (await sourceOf(index, '1')), expected.includes('vector='));
    });
  }

  it('leaves a title that is an object to the engine', async () => {
    const index = await configured();
    await engine.call('PUT', `/${index}/_mapping`, { properties: { title: { type: 'text' } } });
    const direct = await put(stack.engine, `/${index}/_doc/1`, '{"title":{"a":1}}');
    const through = await put(stack.sidecar, `/${index}/_doc/1`, '{"title":{"a":1}}');
    assert.equal(through.status, 400);
    assert.equal(through.body.toString(), direct.body.toString());
  });

  it("hands on the engine's refusals: not JSON, a conflict, a bad index name", async () => {
    const index = await configured();
    await put(stack.sidecar, `/${index}/_create/1`, '{"title":"one"}');
    for (const [path, body] of [
      [`/${index}/_doc/2`, '{"title":"no end'],
      [`/${index}/_doc/2`, '[1,2]'],
      [`/${index}/_create/1`, '{"title":"two"}'],
      [`/Upper${index}/_doc/1`, '{"title":"x"}'],
    ] as const) {
      const direct = await put(stack.engine, path, body);
      const through = await put(stack.sidecar, path, body);
      assert.ok(direct.status >= 400);
      assert.equal(through.status, direct.status);
      // The engine's parser counts columns, and ours is a longer line.
      const plain = (answer: RawResponse): string => answer.body.toString().replace(/column: \d+/g, 'column');
      assert.equal(plain(through), plain(direct));
    }
  });

  it('replaces a vector that the client sends', async () => {
    const index = await configured();
    await put(
      stack.sidecar,
      `/${index}/_doc/1`,
      '{"twinrank_vector":"AAAA","title":"one","twinrank_vector2":1}',
    );
    const payload = decodePayload(String((await sourceOf(index, '1'))['twinrank_vector']), stack.bundle);
    assert.ok(typeof payload === 'object');
  });

  it('gives bulk items their vectors and keeps order and errors of the engine', async () => {
    const index = await configured();
    const plain = engine.index();
    const body =
      `{"index":{"_index":"${index}","_id":"1"}}\n{"title":"one","n":1}\n` +
      `{"create":{"_index":"${index}","_id":"1"}}\n{"title":"again"}\n` +
      `{"index":{"_index":"${index}","_id":"2"}}\n{"title":"two","n":"not a number"}\n` +
      `{"index":{"_index":"${plain}","_id":"3"}}\n{"title":"three"}\n` +
      `{"update":{"_index":"${index}","_id":"1"}}\n{"doc":{"k":1}}\n` +
      `{"delete":{"_index":"${index}","_id":"404"}}\n` +
      `{"index":{"_index":"${index}","_id":"4"}}\r\n{"title":"four"}\r\n`;
    const answer = await bulk(stack.sidecar, '/_bulk?refresh=true', body);
    assert.equal(answer.status, 200, answer.body.toString());
    const reply = JSON.parse(answer.body.toString()) as {
      errors: boolean;
      items: Record<string, { _id: string; status: number }>[];
    };
    assert.deepEqual(
      reply.items.map(
        (item) => Object.entries(item).map(([name, { _id, status }]) => [name, _id, status])[0],
      ),
      [
        ['index', '1', 201],
        ['create', '1', 409],
        ['index', '2', 400],
        ['index', '3', 201],
        ['update', '1', 200],
        ['delete', '404', 404],
        ['index', '4', 201],
      ],
    );
    assert.equal(reply.errors, true);
    assert.equal(outcome(answer), 'ingested; vector=4; unchanged=1; not_configured=1');
    assert.ok('twinrank_vector' in (await sourceOf(index, '1')));
    assert.ok('twinrank_vector' in (await sourceOf(index, '4')));
    assert.ok(!('twinrank_vector' in (await sourceOf(plain, '3'))));
  });

  it("hands on the engine's refusal of a malformed bulk body, with nothing written", async () => {
    const index = await configured();
    for (const body of [
      `{"index":{"_id":"1"}}\n{"title":"one"}\n{"indx":{}}\n{"title":"two"}\n`,
      `{"index":{"_id":"1"}}\n{"title":"one"}\nnot json\n{"title":"two"}\n`,
      `{"index":{"_id":"1"}}\n{"title":"one"}`,
      `["index"]\n`,
      `\n`,
    ]) {
      const direct = await bulk(stack.engine, `/${index}/_bulk`, body);
      const through = await bulk(stack.sidecar, `/${index}/_bulk`, body);
      assert.equal(through.status, direct.status, body);
      assert.equal(withoutTook(through), withoutTook(direct), body);
      assert.ok(direct.status === 400, `${direct.status} ${direct.body.toString()}`);
    }
    const count = (await engine.call('GET', `/${index}/_count`)) as { count: number };
    assert.equal(count.count, 0);
  });

  it('reads compressed bodies and default indices', async () => {
    const index = await configured();
    const body = gzipSync(`{"index":{"_id":"1"}}\n{"title":"one"}\n`);
    const answer = await bulk(stack.sidecar, `/${index}/_bulk`, body, {
      ...NDJSON,
      'content-encoding': 'gzip',
    });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.ok('twinrank_vector' in (await sourceOf(index, '1')));
    const broken = await bulk(stack.sidecar, `/${index}/_bulk`, 'no gzip', {
      ...NDJSON,
      'content-encoding': 'gzip',
    });
    assert.equal(broken.status, 400);
    assert.match(broken.body.toString(), /gzip/);
  });

  it('knows an index that its template has yet to make, and a data stream', async () => {
    const prefix = engine.index();
    const wanted = await stack.setUp(engine.index());
    await applyToTemplate(stack.client, prefix, [`${prefix}-*`], wanted, false, AbortSignal.timeout(30_000));
    try {
      const answer = await put(stack.sidecar, `/${prefix}-new/_doc/1`, '{"title":"one"}');
      assert.equal(outcome(answer), 'ingested; vector=1');
      assert.ok('twinrank_vector' in (await sourceOf(`${prefix}-new`, '1')));
      // Which index a name with a date in it will make, the engine alone can tell.
      const dated = encodeURIComponent(`<${prefix}-{now/y{yyyy}}>`);
      const first = await put(stack.sidecar, `/${dated}/_doc/1`, '{"title":"one"}');
      assert.equal(outcome(first), 'ingested; vector=1');
    } finally {
      await engine.call('DELETE', `/${prefix}-*`);
      await engine.call('DELETE', `/_index_template/${prefix}`);
    }
  });

  it('goes by the index that an alias marks for writing', async () => {
    const written = await configured();
    const newer = `${written}-z`;
    await engine.call('PUT', `/${newer}`);
    const alias = `${written}-alias`;
    await engine.call('POST', '/_aliases', {
      actions: [{ add: { index: written, alias, is_write_index: true } }, { add: { index: newer, alias } }],
    });
    try {
      const answer = await put(stack.sidecar, `/${alias}/_doc/1`, '{"title":"one"}');
      assert.equal(outcome(answer), 'ingested; vector=1');
      assert.ok('twinrank_vector' in (await sourceOf(written, '1')));
    } finally {
      await engine.call('DELETE', `/${newer}`);
    }
  });

  it('streams thousands of lines in order', async () => {
    const index = await configured();
    const count = 2_000;
    const lines = Array.from(
      { length: count },
      (_, i) => `{"index":{"_id":"${i}"}}\n{"title":"item ${i % 40}","n":${i}}\n`,
    ).join('');
    const answer = await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: `/${index}/_bulk?refresh=true`,
      headers: NDJSON,
      body: lines,
      timeoutMs: 120_000,
    });
    const reply = JSON.parse(answer.body.toString()) as {
      errors: boolean;
      items: { index: { _id: string } }[];
    };
    assert.equal(reply.errors, false);
    assert.deepEqual(
      reply.items.map((item) => item.index._id),
      Array.from({ length: count }, (_, i) => String(i)),
    );
    assert.equal(outcome(answer), `ingested; vector=${count}`);
  });

  describe('when a text cannot be encoded', () => {
    const failingOn = (word: string): Encoder => ({
      dimensions: stack.encoder.dimensions,
      fingerprint: stack.encoder.fingerprint,
      encode: async (texts, options) => {
        if (texts.some((text) => text.includes(word)))
          throw new TwinrankError('encode_failed', 'The inference worker ended.');
        return stack.encoder.encode(texts, options);
      },
    });
    const body = `{"index":{"_id":"1"}}\n{"title":"good"}\n{"create":{"_id":"2"}}\n{"title":"bad"}\n{"index":{"_id":"3"}}\n{"title":"good too"}\n`;

    it('rejects that item alone, in its place', async () => {
      const index = await configured();
      const sidecar = await stack.moreSidecar({ onEncodeFailure: 'reject' }, failingOn('bad'));
      const answer = await bulk(sidecar, `/${index}/_bulk?refresh=true`, body);
      const reply = JSON.parse(answer.body.toString()) as {
        errors: boolean;
        items: Record<string, { _id: string; status: number; error?: { reason: string } }>[];
      };
      assert.equal(reply.errors, true);
      assert.deepEqual(
        reply.items.map((item) => Object.values(item).map((result) => [result._id, result.status])[0]),
        [
          ['1', 201],
          ['2', 500],
          ['3', 201],
        ],
      );
      assert.match(String(reply.items[1]?.['create']?.error?.reason), /inference worker/);
      const count = (await engine.call('GET', `/${index}/_count`)) as { count: number };
      assert.equal(count.count, 2);
    });

    it('answers for every item where all are rejected', async () => {
      const index = await configured();
      const sidecar = await stack.moreSidecar({ onEncodeFailure: 'reject' }, failingOn('o'));
      const answer = await bulk(
        sidecar,
        `/${index}/_bulk`,
        `{"index":{"_id":"1"}}\n{"title":"one"}\n{"index":{"_id":"2"}}\n{"title":"two"}\n`,
      );
      assert.equal(answer.status, 200);
      const reply = JSON.parse(answer.body.toString()) as { items: { index: { status: number } }[] };
      assert.deepEqual(
        reply.items.map((item) => item.index.status),
        [500, 500],
      );
    });

    it('writes it without a vector where that is the policy', async () => {
      const index = await configured();
      const sidecar = await stack.moreSidecar({ onEncodeFailure: 'pass' }, failingOn('bad'));
      const answer = await bulk(sidecar, `/${index}/_bulk`, body);
      assert.equal((JSON.parse(answer.body.toString()) as { errors: boolean }).errors, false);
      assert.equal(outcome(answer), 'ingested; vector=2; encode_failed=1');
      assert.ok(!('twinrank_vector' in (await sourceOf(index, '2'))));
    });

    it('answers a single document with the error', async () => {
      const index = await configured();
      const sidecar = await stack.moreSidecar({ onEncodeFailure: 'reject' }, failingOn('bad'));
      const answer = await put(sidecar, `/${index}/_doc/1`, '{"title":"bad"}');
      assert.equal(answer.status, 500);
      assert.match(answer.body.toString(), /"type":"twinrank_encode_failed_exception"/);
    });
  });
});
