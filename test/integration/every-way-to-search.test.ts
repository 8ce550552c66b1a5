/** Multi-searches, templates, texts and knobs of the caller, blended and shadowed orders, against the real engine. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ShadowReport } from '../../src/rerank/context.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const TITLES = [
  'Reset your password',
  'I forgot my password and cannot sign in',
  'Password manager for phones',
  'Password rules for company accounts',
];
const BEST = 'd1';
const QUERY = 'forgot password';

interface Hit {
  readonly _id: string;
  readonly _score: number;
  readonly fields?: {
    readonly _twinrank?: readonly Record<string, unknown>[];
    readonly n?: readonly number[];
  };
}
interface Found {
  readonly error?: unknown;
  readonly status?: number;
  readonly hits: { readonly max_score: number; readonly hits: readonly Hit[] };
}

describe('every way to search', () => {
  const { engine, stack } = stackFixture();
  let index: string;
  let plain: string;
  before(async () => {
    index = engine.index();
    plain = engine.index();
    await stack.setUp(index);
    const lines = TITLES.map(
      (title, i) =>
        `{"index":{"_index":"${index}","_id":"d${i}"}}\n${JSON.stringify({ title, n: i })}\n{"index":{"_index":"${plain}","_id":"d${i}"}}\n${JSON.stringify({ title, n: i })}\n`,
    ).join('');
    await rawRequest({
      url: stack.sidecar,
      method: 'POST',
      path: '/_bulk?refresh=true',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
    });
  });

  const send = (
    url: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<RawResponse> =>
    rawRequest({
      url,
      method: 'POST',
      path,
      headers: {
        'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const search = (
    body: Record<string, unknown>,
    headers: Record<string, string> = {},
    url = stack.proxy,
  ): Promise<RawResponse> => send(url, `/${index}/_search`, body, headers);
  const found = (answer: RawResponse): Found => {
    assert.equal(answer.status, 200, answer.body.toString());
    return JSON.parse(answer.body.toString()) as Found;
  };
  const ids = (answer: Found): string[] => answer.hits.hits.map((hit) => hit._id);
  const outcome = (answer: RawResponse): string => String(answer.headers['x-twinrank']);
  const match = { match: { title: QUERY } };

  describe('_msearch', () => {
    const responses = (answer: RawResponse): Found[] => {
      assert.equal(answer.status, 200, answer.body.toString());
      return (JSON.parse(answer.body.toString()) as { responses: Found[] }).responses;
    };

    it('decides each search alone and keeps order and errors', async () => {
      const body =
        `{"index":"${index}"}\n{"query":{"match":{"title":"${QUERY}"}}}\n` +
        `{"index":"${index}"}\n{"query":{"match":{"title":"${QUERY}"}},"sort":[{"n":"desc"}]}\n` +
        `{"index":"${index}"}\n{"query":{"bool":{"must":{"match":{"title":"${QUERY}"}},"filter":{"range":{"n":{"gte":"no number"}}}}}}\n` +
        `{"index":["${plain}"]}\n{"query":{"match":{"title":"${QUERY}"}}}\n` +
        `{"index":"no-such-index"}\n{"query":{"match":{"title":"${QUERY}"}}}\n` +
        `{}\n{"query":{"match":{"title":"company rules"}},"size":1}\n`;
      const answer = await send(stack.proxy, `/${index}/_msearch`, body);
      const direct = responses(await send(stack.engine, `/${index}/_msearch`, body));
      const through = responses(answer);
      assert.match(outcome(answer), /^msearch; applied=2; sort=1; engine_error=2; not_configured=1; encode=/);
      assert.equal(through.length, 6);
      assert.equal(ids(through[0] as Found)[0], BEST);
      assert.ok((through[0] as Found).hits.hits.every((hit) => hit._score <= 1));
      assert.deepEqual(ids(through[5] as Found), ['d3']);
      for (const i of [2, 4]) assert.deepEqual(through[i], direct[i]);
      for (const i of [1, 3]) assert.deepEqual(ids(through[i] as Found), ids(direct[i] as Found));
    });

    it('hands a malformed request to the engine as it came', async () => {
      for (const body of ['{}\n', '{}\n{"query":{}}', 'x\n{}\n', '{"index":1}\n{}\n']) {
        const direct = await send(stack.engine, '/_msearch', body);
        const answer = await send(stack.proxy, '/_msearch', body);
        assert.equal(outcome(answer), 'skipped; reason=unreadable_body');
        assert.equal(answer.status, direct.status);
        assert.equal(
          answer.body.toString().replace(/"took":\d+/g, ''),
          direct.body.toString().replace(/"took":\d+/g, ''),
        );
      }
    });

    it('says so where nothing is reranked', async () => {
      const line = `{"index":"${plain}"}\n{"query":{"match_all":{}}}\n`;
      assert.equal(outcome(await send(stack.proxy, '/_msearch', line)), 'skipped; reason=no_query_text');
      assert.equal(
        outcome(
          await send(
            stack.proxy,
            '/_msearch',
            `${line}{"index":"${plain}"}\n{"size":0,"query":{"match":{"a":"b"}}}\n`,
          ),
        ),
        'skipped; reason=mixed',
      );
    });
  });

  describe('templates', () => {
    const template = {
      source: { query: { match: { title: '{{words}}' } }, size: '{{size}}' },
      params: { words: QUERY, size: 2 },
    };

    it('are rendered by the engine and reranked', async () => {
      const answer = await send(stack.proxy, `/${index}/_search/template`, template);
      assert.match(outcome(answer), /^applied; /);
      assert.deepEqual(ids(found(answer)).slice(0, 1), [BEST]);
      const direct = await send(stack.engine, `/${index}/_search/template`, template);
      assert.deepEqual(Object.keys(found(answer)), Object.keys(found(direct)));
      assert.equal(ids(found(answer)).length, 2);
    });

    it("that are stored work by id, and an unknown id is the engine's to refuse", async () => {
      const id = `${index}-template`;
      await engine.call('PUT', `/_scripts/${id}`, { script: { lang: 'mustache', source: template.source } });
      try {
        const answer = await send(stack.proxy, `/${index}/_search/template`, { id, params: template.params });
        assert.match(outcome(answer), /^applied; /);
        assert.equal(ids(found(answer))[0], BEST);
      } finally {
        await engine.call('DELETE', `/_scripts/${id}`);
      }
      const direct = await send(stack.engine, `/${index}/_search/template`, { id: 'none' });
      const refused = await send(stack.proxy, `/${index}/_search/template`, { id: 'none' });
      assert.equal(refused.status, direct.status);
      assert.equal(refused.body.toString(), direct.body.toString());
      assert.equal(outcome(refused), 'skipped; reason=template_unrendered');
    });

    it('come several at once in _msearch/template, with the shape of the engine', async () => {
      const body = `{"index":"${index}"}\n${JSON.stringify(template)}\n{"index":"${plain}"}\n${JSON.stringify(template)}\n`;
      const direct = JSON.parse((await send(stack.engine, '/_msearch/template', body)).body.toString()) as {
        responses: object[];
      };
      const answer = await send(stack.proxy, '/_msearch/template', body);
      assert.match(outcome(answer), /^msearch; applied=1; not_configured=1; /);
      const through = JSON.parse(answer.body.toString()) as { responses: object[] };
      assert.deepEqual(
        through.responses.map((response) => Object.keys(response)),
        direct.responses.map((response) => Object.keys(response)),
      );
      assert.equal(ids(through.responses[0] as Found)[0], BEST);
    });
  });

  it('reads a body from the source parameter', async () => {
    const source = encodeURIComponent(JSON.stringify({ query: match, size: 2 }));
    const answer = await rawRequest({
      url: stack.proxy,
      path: `/${index}/_search?source=${source}&source_content_type=application/json`,
    });
    assert.match(outcome(answer), /^applied; /);
    assert.equal(ids(found(answer))[0], BEST);
    assert.equal(ids(found(answer)).length, 2);
  });

  it('lets nothing of ours reach the engine by a template or the source parameter', async () => {
    const source = { query: match, from: '{{from}}', ext: { twinrank: { window: 2 } } };
    for (const [from, expected] of [
      [0, /^applied; window=2; /],
      [3, /^skipped; reason=beyond_window$/],
    ] as const) {
      const one = await send(stack.proxy, `/${index}/_search/template`, { source, params: { from } });
      assert.match(outcome(one), expected);
      assert.equal(one.status, 200, one.body.toString());
      const lines = `{"index":"${index}"}\n${JSON.stringify({ source, params: { from } })}\n`;
      const several = await send(stack.proxy, '/_msearch/template', lines);
      const [response] = (JSON.parse(several.body.toString()) as { responses: Found[] }).responses;
      assert.equal(response?.error, undefined, several.body.toString());
    }
    const inParameter = encodeURIComponent(
      JSON.stringify({ query: match, ext: { twinrank: { window: 2 } } }),
    );
    const refused = await rawRequest({
      url: stack.proxy,
      path: `/${index}/_search?source=${inParameter}&source_content_type=application/json`,
    });
    assert.equal(refused.status, 400);
    assert.match(refused.body.toString(), /cannot be given in the parameter/);
  });

  it('reads a compressed body, and sends it on as it came where it is left alone', async () => {
    const zipped = (body: unknown): Promise<RawResponse> =>
      rawRequest({
        url: stack.proxy,
        method: 'POST',
        path: `/${index}/_search`,
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: gzipSync(JSON.stringify(body)),
      });
    const answer = await zipped({ query: match });
    assert.match(outcome(answer), /^applied; /);
    assert.equal(ids(found(answer))[0], BEST);
    const left = await zipped({ query: match, sort: [{ n: 'desc' }] });
    assert.equal(outcome(left), 'skipped; reason=sort');
    assert.deepEqual(ids(found(left)), ['d3', 'd2', 'd1', 'd0']);
    const knob = await zipped({ query: match, ext: { twinrank: { enabled: false } } });
    assert.equal(outcome(knob), 'skipped; reason=off');
    assert.equal(ids(found(knob)).length, 4);
    const bomb = await zipped({ query: match, filler: ' '.repeat(20 * 1024 * 1024) });
    assert.equal(outcome(bomb), 'skipped; reason=body_too_large');
  });

  describe('a text that the caller names', () => {
    it('goes before the text of the query, by itself or by its path', async () => {
      const query = { bool: { should: [{ match: { title: 'password rules company phones' } }] } };
      const text = await search({
        query,
        ext: { rerank: { query_context: { query_text: 'I cannot sign in, what was my password?' } } },
      });
      assert.match(outcome(text), /^applied; /);
      assert.equal(ids(found(text))[0], BEST);
      const path = await search({
        query,
        ext: { rerank: { query_context: { query_text_path: 'query.bool.should.0.match.title' } } },
      });
      assert.match(outcome(path), /^applied; /);
      assert.notEqual(ids(found(path))[0], BEST);
    });

    it('makes a search without text one that is reranked', async () => {
      const answer = await search({
        query: { match_all: {} },
        ext: { rerank: { query_context: { query_text: QUERY } } },
      });
      assert.equal(ids(found(answer))[0], BEST);
    });

    it('is refused by name where it is none', async () => {
      for (const context of [
        {},
        { query_text: 1 },
        { query_text: 'a', query_text_path: 'b' },
        { query_text_path: 'query.nowhere' },
      ]) {
        const answer = await search({ query: match, ext: { rerank: { query_context: context } } });
        assert.equal(answer.status, 400);
        assert.match(answer.body.toString(), /ext\.rerank\.query_context/);
      }
    });
  });

  describe('knobs', () => {
    it('work by header and by body block, and the engine sees neither', async () => {
      assert.equal(outcome(await search({ query: match }, { 'x-twinrank': 'off' })), 'skipped; reason=off');
      assert.equal(
        outcome(await search({ query: match, ext: { twinrank: { enabled: false } } })),
        'skipped; reason=off',
      );
      assert.match(
        outcome(await search({ query: match }, { 'x-twinrank': 'window=2' })),
        /^applied; window=2; scored=2; /,
      );
      assert.match(
        outcome(await search({ query: match, ext: { twinrank: { window: 3 } } })),
        /^applied; window=3; scored=3; /,
      );
      const line = `{"index":"${index}"}\n${JSON.stringify({ query: match, ext: { twinrank: { enabled: false } } })}\n`;
      assert.equal(outcome(await send(stack.proxy, '/_msearch', line)), 'skipped; reason=off');
    });

    it('that are unknown or out of bounds are refused by name', async () => {
      for (const [header, block, named] of [
        ['windw=5', undefined, /windw.*known are enabled, window, blend, scores, explain/],
        ['window=0', undefined, /window.*whole number from 1 to 1000/],
        ['window=1001', undefined, /window/],
        ['blend=1.5', undefined, /blend.*0 to 1/],
        ['upstream=http://elsewhere', undefined, /upstream/],
        [undefined, { script: 'x' }, /script/],
        [undefined, { window: '9e9' }, /window/],
        [undefined, { __proto__x: 1 }, /__proto__x/],
        [undefined, [], /ext\.twinrank must be an object/],
      ] as const) {
        const answer = await search(
          { query: match, ...(block === undefined ? {} : { ext: { twinrank: block } }) },
          header === undefined ? {} : { 'x-twinrank': header },
        );
        assert.equal(answer.status, 400, `${String(header)} ${JSON.stringify(block)}`);
        assert.match(answer.body.toString(), named);
        assert.match(answer.body.toString(), /"type":"twinrank_bad_request_exception"/);
      }
    });

    it('show both scores of each hit beside the fields that were asked for', async () => {
      const direct = found(await search({ query: match }, {}, stack.engine));
      for (const wishes of [
        {},
        { fields: ['n'] },
        { _source: false },
        { _source: false, docvalue_fields: ['n'] },
      ]) {
        const answer = found(await search({ query: match, ...wishes }, { 'x-twinrank': 'scores' }));
        for (const hit of answer.hits.hits) {
          const shown = hit.fields?._twinrank?.[0] ?? {};
          assert.equal(shown['probability'], hit._score);
          assert.equal(
            shown['engine_score'],
            direct.hits.hits.find((other) => other._id === hit._id)?._score,
          );
          assert.equal(hit.fields?.n !== undefined, 'fields' in wishes || 'docvalue_fields' in wishes);
          assert.ok(!('twinrank_vector' in (hit.fields ?? {})));
        }
      }
    });

    it('explain a score by the parts of the head', async () => {
      const answer = found(await search({ query: match }, { 'x-twinrank': 'explain' }));
      for (const hit of answer.hits.hits) {
        const shown = hit.fields?._twinrank?.[0] as {
          log_odds: number;
          log_odds_parts: Record<string, number>;
        };
        const sum = Object.values(shown.log_odds_parts).reduce((total, part) => total + part, 0);
        assert.ok(Math.abs(sum - shown.log_odds) < 1e-6);
      }
    });

    it('blend the engine in: at 1 its order, in between its influence', async () => {
      const direct = ids(found(await search({ query: match }, {}, stack.engine)));
      const blended = await search({ query: match }, { 'x-twinrank': 'blend=1' });
      assert.deepEqual(ids(found(blended)), direct);
      assert.match(outcome(blended), /; blend=1; /);
      const half = found(await search({ query: match }, { 'x-twinrank': 'blend=0.5; scores' }));
      const scores = half.hits.hits.map((hit) => hit._score);
      assert.deepEqual(
        scores,
        [...scores].sort((a, b) => b - a),
      );
      assert.equal(half.hits.max_score, scores[0]);
    });
  });

  it('reranks a data stream, written through its template', async () => {
    const stream = engine.index('twinrank-stream');
    const mapping = (await engine.call('GET', `/${index}/_mapping`)) as Record<string, { mappings: object }>;
    await engine.call('PUT', `/_index_template/${stream}`, {
      index_patterns: [stream],
      data_stream: {},
      template: { settings: { number_of_replicas: 0 }, mappings: mapping[index]?.mappings },
    });
    try {
      const lines = TITLES.map(
        (title, i) => `{"create":{"_id":"d${i}"}}\n${JSON.stringify({ '@timestamp': 1, title })}\n`,
      );
      const written = await send(stack.sidecar, `/${stream}/_bulk?refresh=true`, lines.join(''));
      assert.equal(outcome(written), `ingested; vector=${TITLES.length}`);
      const answer = await send(stack.proxy, `/${stream}/_search`, { query: match });
      assert.match(outcome(answer), /^applied; window=100; scored=4; /);
      assert.equal(ids(found(answer))[0], BEST);
    } finally {
      await engine.call('DELETE', `/_data_stream/${stream}`);
      await engine.call('DELETE', `/_index_template/${stream}`);
    }
  });

  it('puts hits of indices with different settings into one order', async () => {
    const other = engine.index();
    await engine.call('PUT', `/${other}`, { settings: { number_of_replicas: 0 } });
    await stack.setUp(other, { textFields: ['headline'], vectorField: 'meaning', codec: 'f32', window: 2 });
    await send(stack.sidecar, `/${other}/_doc/o1?refresh=true`, {
      headline: 'I cannot remember my password',
      title: 'password',
    });
    await send(stack.sidecar, `/${other}/_doc/o2?refresh=true`, {
      headline: 'opening hours',
      title: 'forgot password',
    });
    for (const wishes of [{}, { _source: false }]) {
      const answer = await send(stack.proxy, `/${index},${other},${plain}/_search`, {
        query: match,
        size: 20,
        ...wishes,
      });
      assert.match(outcome(answer), /^applied; window=100; scored=6; not_configured=4; /);
      const order = ids(found(answer)).slice(0, 6);
      assert.ok(order.indexOf('o1') <= 2 && order[0] === BEST, order.join());
      assert.equal(order.indexOf('o2'), 5);
      assert.doesNotMatch(answer.body.toString(), /"(meaning|twinrank_vector)"/);
    }
  });

  it('takes the blend of the index where the request names none', async () => {
    const blended = engine.index();
    await stack.setUp(blended, { blend: 0.4 });
    await send(stack.sidecar, `/${blended}/_doc/1?refresh=true`, { title: QUERY });
    const answer = await send(stack.proxy, `/${blended}/_search`, { query: match });
    assert.match(outcome(answer), /; blend=0\.4; /);
    const auto = await send(stack.proxy, `/${blended}/_search`, {
      query: match,
      ext: { twinrank: { blend: 'auto' } },
    });
    assert.match(outcome(auto), /; blend=0\.35; /);
    await stack.setUp(blended, { blend: 'auto' });
    assert.match(
      outcome(await send(stack.proxy, `/${blended}/_search`, { query: match })),
      /; blend=0\.35; /,
    );
  });

  it('only reports in shadow mode', async () => {
    const reports: ShadowReport[] = [];
    const proxy = await stack.moreProxy({ shadow: true }, stack.encoder, (report) => reports.push(report));
    const direct = found(await search({ query: match, size: 2 }, {}, stack.engine));
    const answer = await search({ query: match, size: 2 }, {}, proxy);
    assert.match(outcome(answer), /^shadow; window=100; scored=4; correlation=-?[\d.]+; /);
    assert.deepEqual(
      found(answer).hits.hits.map((hit) => [hit._id, hit._score]),
      direct.hits.hits.map((hit) => [hit._id, hit._score]),
    );
    assert.equal(reports.length, 1);
    assert.deepEqual(reports[0]?.engine.slice(0, 2), ids(direct));
    assert.equal(reports[0]?.twinrank[0], BEST);
    assert.deepEqual([...(reports[0]?.twinrank ?? [])].sort(), [...(reports[0]?.engine ?? [])].sort());
  });

  it('answers 503 in strict mode where the query cannot be encoded', async () => {
    const hanging = {
      dimensions: stack.encoder.dimensions,
      fingerprint: stack.encoder.fingerprint,
      encode: () => new Promise<never>(() => undefined),
    };
    const proxy = await stack.moreProxy({ strict: true, budgetMs: 1_000 }, hanging);
    const answer = await search({ query: match }, {}, proxy);
    assert.equal(answer.status, 503);
    assert.match(answer.body.toString(), /strict mode/);
    const passed = await search({ query: { match_all: {} } }, {}, proxy);
    assert.equal(passed.status, 200);
  });
});
