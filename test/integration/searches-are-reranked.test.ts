/** Searches through the proxy: the hits of the engine, in the order of the model, page by page. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const TITLES = [
  'Reset your password',
  'Password rules for company accounts',
  'I forgot my password and cannot sign in',
  'Password manager for phones',
  'Change the password of the wireless network',
  'Show or hide the password while typing',
  'Recover a lost account without password',
  'Remove the password from a document',
  '忘记密码怎么办',
  '修改登录密码',
  '密码输入错误次数过多',
  '给文件设置密码',
];

interface Hit {
  readonly _index: string;
  readonly _id: string;
  readonly _score: number;
  readonly _source?: Readonly<Record<string, unknown>>;
  readonly fields?: Readonly<Record<string, unknown>>;
}
interface Found {
  readonly took: number;
  readonly hits: {
    readonly total: { readonly value: number };
    readonly max_score: number;
    readonly hits: readonly Hit[];
  };
}

describe('searches are reranked', () => {
  const { engine, stack } = stackFixture();
  let index: string;
  before(async () => {
    index = engine.index();
    await engine.call('PUT', `/${index}`, {
      settings: { number_of_replicas: 0 },
      mappings: { properties: { title: { type: 'text', analyzer: 'cjk' } } },
    });
    await stack.setUp(index);
    const lines = TITLES.map(
      (title, i) => `{"index":{"_id":"d${i}"}}\n${JSON.stringify({ title, place: i })}\n`,
    ).join('');
    const loaded = await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: `/${index}/_bulk?refresh=true`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
    });
    assert.equal(
      (JSON.parse(loaded.body.toString()) as { errors: boolean }).errors,
      false,
      loaded.body.toString(),
    );
  });

  const ask = (url: string, path: string, body?: unknown): Promise<RawResponse> =>
    rawRequest({
      url,
      method: body === undefined ? 'GET' : 'POST',
      path,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  const found = (answer: RawResponse): Found => {
    assert.equal(answer.status, 200, answer.body.toString());
    return JSON.parse(answer.body.toString()) as Found;
  };
  const outcome = (answer: RawResponse): string => String(answer.headers['x-twinrank']);

  it('puts the hit that means the same first, with probabilities that fall', async () => {
    const answer = await ask(stack.proxy, `/${index}/_search`, {
      query: { match: { title: 'I do not remember my password' } },
    });
    const { hits } = found(answer);
    assert.match(outcome(answer), /^applied; window=100; scored=8; encode=[\d.]+ms; score=[\d.]+ms$/);
    assert.equal(hits.hits[0]?._id, 'd2');
    const scores = hits.hits.map((hit) => hit._score);
    assert.deepEqual(
      scores,
      [...scores].sort((a, b) => b - a),
    );
    assert.ok(scores.every((score) => score >= 0 && score <= 1));
    assert.equal(hits.max_score, scores[0]);
    assert.equal(hits.total.value, 8);
  });

  it('understands Chinese queries', async () => {
    const { hits } = found(
      await ask(stack.proxy, `/${index}/_search`, { query: { match: { title: '密码不记得了' } } }),
    );
    assert.equal(hits.hits[0]?._id, 'd8');
  });

  const QUERY = 'forgot password';
  const forms: readonly (readonly [string, string, unknown])[] = [
    ['match', '', { query: { match: { title: QUERY } } }],
    ['match with options', '', { query: { match: { title: { query: QUERY, operator: 'or' } } } }],
    ['multi_match', '', { query: { multi_match: { query: QUERY, fields: ['title', 'other'] } } }],
    [
      'bool with filter',
      '',
      {
        query: { bool: { must: [{ match: { title: QUERY } }], filter: [{ range: { place: { gte: 0 } } }] } },
      },
    ],
    [
      'bool should inside function_score',
      '',
      { query: { function_score: { query: { bool: { should: { match: { title: QUERY } } } } } } },
    ],
    ['q parameter', `?q=title:(${encodeURIComponent(QUERY)})`, undefined],
    ['query_string', '', { query: { query_string: { query: `title:(${QUERY})` } } }],
    ['sort by _score', '', { query: { match: { title: QUERY } }, sort: ['_score'] }],
    [
      'with aggregations',
      '',
      { query: { match: { title: QUERY } }, aggs: { places: { stats: { field: 'place' } } } },
    ],
  ];
  for (const [name, parameters, body] of forms) {
    it(`gives the same hits in the model's order: ${name}`, async () => {
      const direct = found(await ask(stack.engine, `/${index}/_search${parameters}`, body));
      const answer = await ask(stack.proxy, `/${index}/_search${parameters}`, body);
      const through = found(answer);
      assert.match(outcome(answer), /^applied; /);
      assert.deepEqual(
        through.hits.hits.map((hit) => hit._id).sort(),
        direct.hits.hits.map((hit) => hit._id).sort(),
      );
      assert.equal(through.hits.hits[0]?._id, 'd2');
      assert.deepEqual(
        (through as { aggregations?: unknown }).aggregations,
        (direct as { aggregations?: unknown }).aggregations,
      );
    });
  }

  it('shows every hit once over all pages, whatever their size', async () => {
    const query = { match: { title: QUERY } };
    const whole = found(await ask(stack.proxy, `/${index}/_search`, { query, size: 50 })).hits.hits.map(
      (hit) => hit._id,
    );
    for (const size of [1, 3, 5]) {
      const ids: string[] = [];
      for (let from = 0; from < whole.length; from += size) {
        ids.push(
          ...found(
            await ask(stack.proxy, `/${index}/_search?from=${from}&size=${size}`, { query }),
          ).hits.hits.map((hit) => hit._id),
        );
      }
      assert.deepEqual(ids, whole);
    }
  });

  it('reranks the window only and keeps the tail in the order of the engine', async () => {
    const small = engine.index();
    await engine.call('PUT', `/${small}`, { settings: { number_of_replicas: 0 } });
    await stack.setUp(small, { window: 3 });
    const lines = TITLES.slice(0, 8)
      .map((title, i) => `{"index":{"_id":"d${i}"}}\n${JSON.stringify({ title })}\n`)
      .join('');
    await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: `/${small}/_bulk?refresh=true`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
    });
    const query = { match: { title: 'forgot my password' } };
    const direct = found(await ask(stack.engine, `/${small}/_search`, { query })).hits.hits.map(
      (hit) => hit._id,
    );
    const answer = await ask(stack.proxy, `/${small}/_search`, { query });
    const through = found(answer).hits.hits.map((hit) => hit._id);
    assert.match(outcome(answer), /^applied; window=3; scored=3; /);
    assert.deepEqual(through.slice(0, 3).sort(), direct.slice(0, 3).sort());
    assert.deepEqual(through.slice(3), direct.slice(3));
    const beyond = await ask(stack.proxy, `/${small}/_search?from=3`, { query });
    assert.equal(outcome(beyond), 'skipped; reason=beyond_window');
    assert.deepEqual(
      found(beyond).hits.hits.map((hit) => hit._id),
      direct.slice(3),
    );
  });

  it('shows no vector, and leaves the wishes for _source and fields as they were', async () => {
    const query = { match: { title: QUERY } };
    const cases: readonly (readonly [string, unknown])[] = [
      ['', {}],
      ['', { _source: false }],
      ['', { _source: ['title'] }],
      ['', { _source: { excludes: ['title'] } }],
      ['?_source=place', {}],
      ['?_source_excludes=title', {}],
      ['', { _source: false, fields: ['place'] }],
      ['', { _source: false, docvalue_fields: ['place'] }],
      ['', { docvalue_fields: ['place'] }],
    ];
    for (const [parameters, wishes] of cases) {
      const body = { query, ...(wishes as object) };
      const direct = found(await ask(stack.engine, `/${index}/_search${parameters}`, body));
      const answer = await ask(stack.proxy, `/${index}/_search${parameters}`, body);
      const label = `${parameters} ${JSON.stringify(wishes)}`;
      assert.match(outcome(answer), /^applied; window=100; scored=8; /, label);
      const shown = new Map(found(answer).hits.hits.map((hit) => [hit._id, hit]));
      for (const hit of direct.hits.hits) {
        const { twinrank_vector: _vector, ...source } = hit._source ?? {};
        const expected = hit._source === undefined ? undefined : source;
        assert.deepEqual(shown.get(hit._id)?._source, expected, label);
        assert.deepEqual(shown.get(hit._id)?.fields, hit.fields, label);
      }
    }
  });

  it('shows the vector to a caller who asks for it by name', async () => {
    const body = { query: { match: { title: QUERY } }, _source: ['twinrank_vector'] };
    const { hits } = found(await ask(stack.proxy, `/${index}/_search`, body));
    assert.ok(hits.hits.every((hit) => typeof hit._source?.['twinrank_vector'] === 'string'));
  });

  it('reads vectors from doc values where an index keeps no _source', async () => {
    const bare = engine.index();
    await engine.call('PUT', `/${bare}`, { mappings: { _source: { enabled: false } } });
    await stack.setUp(bare);
    await rawRequest({
      url: stack.sidecar,
      method: 'PUT',
      path: `/${bare}/_doc/1?refresh=true`,
      headers: { 'content-type': 'application/json' },
      body: '{"title":"forgot password"}',
    });
    const answer = await ask(stack.proxy, `/${bare}/_search`, { query: { match: { title: QUERY } } });
    assert.match(outcome(answer), /^applied; window=100; scored=1; /);
    assert.equal(found(answer).hits.hits[0]?.fields, undefined);
  });

  it('finds its settings through aliases, wildcards, lists and all indices', async () => {
    const alias = `${index}-alias`;
    await engine.call('POST', '/_aliases', { actions: [{ add: { index, alias } }] });
    const other = engine.index();
    await engine.call('PUT', `/${other}`, { settings: { number_of_replicas: 0 } });
    const target = [alias, `${index}*`, `${index},${other}`, encodeURIComponent(index)];
    for (const expression of target) {
      const answer = await ask(stack.proxy, `/${expression}/_search`, { query: { match: { title: QUERY } } });
      assert.match(outcome(answer), /^applied; /, expression);
      assert.equal(found(answer).hits.hits[0]?._id, 'd2', expression);
    }
  });

  it('says why it leaves a search alone, and then changes nothing', async () => {
    const query = { match: { title: QUERY } };
    const plain = engine.index();
    await engine.call('PUT', `/${plain}/_doc/1?refresh=true`, { title: QUERY });
    const cases: readonly (readonly [string, string, unknown])[] = [
      ['sort', `/${index}/_search`, { query, sort: [{ place: 'asc' }] }],
      ['size_zero', `/${index}/_search`, { query, size: 0 }],
      ['collapse', `/${index}/_search`, { query, collapse: { field: 'place' } }],
      ['no_query_text', `/${index}/_search`, { query: { match_all: {} } }],
      ['no_query_text', `/${index}/_search`, {}],
      ['not_configured', `/${plain}/_search`, { query }],
      ['format', `/${index}/_search?format=yaml`, { query }],
      ['filter_path', `/${index}/_search?filter_path=hits.hits._id`, { query }],
      ['rescore', `/${index}/_search`, { query, rescore: { query: { rescore_query: query } } }],
      ['profile', `/${index}/_search`, { query, profile: true }],
      ['max_result_window', `/${index}/_search`, { query, from: 50, size: 10_000 }],
    ];
    for (const [reason, path, body] of cases) {
      const direct = await ask(stack.engine, path, body);
      const answer = await ask(stack.proxy, path, body);
      assert.equal(outcome(answer), `skipped; reason=${reason}`);
      assert.equal(answer.status, direct.status);
      const withoutTimes = (response: RawResponse): string =>
        response.body
          .toString()
          .replace(/"?took"?:\s*\d+/, '')
          .replace(/"profile".*/, '');
      assert.equal(withoutTimes(answer), withoutTimes(direct), reason);
    }
  });

  it("hands on the engine's own error for a query that it refuses", async () => {
    const body = { query: { match: { title: { query: QUERY, operator: 'sideways' } } } };
    const direct = await ask(stack.engine, `/${index}/_search`, body);
    const answer = await ask(stack.proxy, `/${index}/_search`, body);
    assert.equal(direct.status, 400);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.toString(), direct.body.toString());
    assert.equal(outcome(answer), 'skipped; reason=engine_error');
  });

  it('counts hits whose vector is missing, stale or of another model, and lists them after the others', async () => {
    const mixed = engine.index();
    await stack.setUp(mixed);
    const write = (url: string, id: string, title: string): Promise<RawResponse> =>
      rawRequest({
        url,
        method: 'PUT',
        path: `/${mixed}/_doc/${id}?refresh=true`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title }),
      });
    await write(stack.sidecar, 'fresh', 'forgot password');
    await write(stack.sidecar, 'stale', 'forgot password today');
    await write(stack.engine, 'missing', 'forgot password again');
    await engine.call('POST', `/${mixed}/_update/stale?refresh=true`, {
      doc: { title: 'a forgot password tomorrow' },
    });
    const proxy = await stack.moreProxy({ maxEncodedNow: 0 });
    const answer = await ask(proxy, `/${mixed}/_search`, { query: { match: { title: QUERY } } });
    const { hits } = found(answer);
    const rescued = await ask(stack.proxy, `/${mixed}/_search`, { query: { match: { title: QUERY } } });
    assert.match(outcome(rescued), /^applied; window=100; scored=3; encoded_now=2; /);
    assert.ok(found(rescued).hits.hits.every((hit) => hit._score > 0));
    assert.match(outcome(answer), /^applied; window=100; scored=1; /);
    assert.match(outcome(answer), /missing=1/);
    assert.match(outcome(answer), /stale=1/);
    assert.equal(hits.hits[0]?._id, 'fresh');
    assert.deepEqual(
      hits.hits.slice(1).map((hit) => hit._score),
      [0, 0],
    );
  });

  it("gives the engine's page where the query cannot be encoded in time", async () => {
    const hanging = {
      dimensions: stack.encoder.dimensions,
      fingerprint: stack.encoder.fingerprint,
      encode: () => new Promise<never>(() => undefined),
    };
    const proxy = await stack.moreProxy({ budgetMs: 30 }, hanging);
    const body = { query: { match: { title: QUERY } }, from: 1, size: 3 };
    const direct = found(await ask(stack.engine, `/${index}/_search`, body));
    const answer = await ask(proxy, `/${index}/_search`, body);
    assert.equal(outcome(answer), 'skipped; reason=encode_timeout');
    assert.deepEqual(
      found(answer).hits.hits.map((hit) => [hit._id, hit._score]),
      direct.hits.hits.map((hit) => [hit._id, hit._score]),
    );
  });
});
