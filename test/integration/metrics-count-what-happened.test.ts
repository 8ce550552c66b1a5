/** The numbers at /metrics are those of what was done, on the real engine, and name no index and no text. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricsOf, readExposition, type Exposition } from '../../scripts/soak/exposition.js';
import { running, until } from '../unit/operations/running.js';
import { startCli } from './support/cli-process.js';
import { rawRequest } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES_TYPE = { 'content-type': 'application/x-ndjson' };

/** Value of the one series of that name whose labels hold all of these. */
function value({ values }: Exposition, name: string, ...labels: readonly string[]): number {
  const found = [...values].filter(
    ([series]) =>
      (series === name || series.startsWith(`${name}{`)) && labels.every((label) => series.includes(label)),
  );
  assert.equal(found.length, 1, `${name} ${labels.join()} in ${[...values.keys()].join('\n')}`);
  return found[0]?.[1] ?? Number.NaN;
}

describe('the metrics', () => {
  const { engine, stack } = stackFixture();

  it('of the sidecar count documents by outcome, and retries', async () => {
    const index = engine.index();
    await stack.setUp(index);
    const sidecar = await running('ingest', ['--upstream', engine.url, '--log-level', 'error']);
    try {
      const body =
        '{"index":{"_id":"1"}}\n{"title":"refund"}\n{"index":{"_id":"2"}}\n{"title":"refund"}\n{"index":{"_id":"3"}}\n{"n":1}\n';
      await rawRequest({
        url: sidecar.url,
        method: 'POST',
        path: `/${index}/_bulk`,
        headers: LINES_TYPE,
        body,
      });
      await rawRequest({
        url: sidecar.url,
        method: 'PUT',
        path: `/${index}/_doc/4`,
        headers: JSON_TYPE,
        body: '{"title":"refund"}',
      });
      await rawRequest({ url: sidecar.url, path: `/${index}/_doc/4` });
      // A request is counted when its answer is out, which may be after the client has it.
      const metrics = await until(
        () => metricsOf(sidecar.adminUrl),
        ({ values }) =>
          values.has('twinrank_requests_total{kind="other",outcome="passed",reason="",status="2xx"}'),
      );
      assert.equal(value(metrics, 'twinrank_documents_total', 'outcome="vector"'), 3);
      assert.equal(value(metrics, 'twinrank_documents_total', 'outcome="no_text"'), 1);
      assert.equal(value(metrics, 'twinrank_documents_total', 'outcome="rejected"'), 0);
      assert.equal(value(metrics, 'twinrank_requests_total', 'kind="bulk"', 'outcome="ingested"'), 1);
      assert.equal(value(metrics, 'twinrank_requests_total', 'kind="document"', 'status="2xx"'), 1);
      assert.equal(value(metrics, 'twinrank_vector_cache_texts_total', 'cache="title"', 'result="miss"'), 1);
      assert.equal(value(metrics, 'twinrank_vector_cache_texts_total', 'cache="title"', 'result="hit"'), 2);
      assert.equal(value(metrics, 'twinrank_write_retries_total'), 0);
      assert.equal(value(metrics, 'twinrank_encoder_batch_texts_count'), 1);
    } finally {
      await sidecar.end();
    }
  });

  it('of the proxy count searches by outcome, vectors by state, and name neither index nor query', async () => {
    const index = engine.index();
    await stack.setUp(index);
    const write = (url: string, id: number, title: string): Promise<unknown> =>
      rawRequest({
        url,
        method: 'PUT',
        path: `/${index}/_doc/${id}?refresh=true`,
        headers: JSON_TYPE,
        body: JSON.stringify({ title }),
      });
    await write(stack.sidecar, 1, 'refund one');
    await write(stack.sidecar, 2, 'refund two');
    await write(engine.url, 3, 'refund three');
    const args = ['--upstream', engine.url, '--budget', '20000', '--encode-now', '0', '--log-level', 'error'];
    const proxy = await running('rerank', args);
    try {
      const query = { match: { title: 'refund' } };
      const send = (path: string, headers: Record<string, string>, body: string): Promise<unknown> =>
        rawRequest({ url: proxy.url, method: 'POST', path: `/${index}/${path}`, headers, body });
      await send('_search', JSON_TYPE, JSON.stringify({ query }));
      await send('_search', JSON_TYPE, JSON.stringify({ query, sort: ['_doc'] }));
      const lines = [{ query }, { query, size: 0 }].map((search) => `{}\n${JSON.stringify(search)}\n`);
      await send('_msearch', LINES_TYPE, lines.join(''));
      await send('_search', JSON_TYPE, '{"query":{"no_such_query":{}}}');
      const metrics = await until(
        () => metricsOf(proxy.adminUrl),
        ({ values }) => [...values.keys()].some((series) => /requests_total.*status="4xx"/.test(series)),
      );
      const searches = (...labels: string[]): number => value(metrics, 'twinrank_searches_total', ...labels);
      assert.equal(searches('outcome="applied"'), 2);
      assert.equal(searches('reason="sort"'), 1);
      assert.equal(searches('reason="size_zero"'), 1);
      assert.equal(searches('reason="no_query_text"'), 1);
      assert.equal(value(metrics, 'twinrank_requests_total', 'kind="search"', 'outcome="applied"'), 1);
      assert.equal(value(metrics, 'twinrank_requests_total', 'kind="msearch"', 'outcome="applied"'), 1);
      assert.equal(value(metrics, 'twinrank_hit_vectors_total', 'state="fresh"'), 4);
      assert.equal(value(metrics, 'twinrank_hit_vectors_total', 'state="missing"'), 2);
      for (const part of ['upstream', 'encode'])
        assert.equal(value(metrics, 'twinrank_search_part_duration_seconds_count', `part="${part}"`), 2);
      assert.equal(value(metrics, 'twinrank_upstream_errors_total', 'code="upstream_unreachable"'), 0);
      const text = await (await fetch(`${proxy.adminUrl}/metrics`)).text();
      assert.ok(!text.includes(index) && !text.includes('refund'));
    } finally {
      await proxy.end();
    }
  });

  it('of a reindex say how far it is while it runs', async () => {
    const index = engine.index();
    await stack.setUp(index);
    const lines = Array.from({ length: 60 }, (_, i) => `{"index":{"_id":"${i}"}}\n{"title":"title ${i}"}\n`);
    await rawRequest({
      url: engine.url,
      method: 'POST',
      path: `/${index}/_bulk?refresh=true`,
      headers: LINES_TYPE,
      body: lines.join(''),
    });
    const reindex = startCli([
      ...['reindex', '--to', engine.url, '--index', index, '--admin', '127.0.0.1:0'],
      ...['--docs-per-second', '8', '--batch', '5', '--admin-token', 'sesame'],
    ]);
    const headers = { authorization: 'Bearer sesame' };
    try {
      let told = '';
      reindex.child.stderr?.on('data', (chunk: Buffer) => (told += chunk.toString('utf8')));
      const words = await until(
        () => told,
        (text) => /Metrics: \S+\n/.test(text),
        60_000,
      );
      const url = /Metrics: (\S+)/.exec(words)?.[1] ?? '';
      const written = 'twinrank_reindex_documents{state="written"}';
      const metrics = await until(
        async () => readExposition(await (await fetch(url, { headers })).text()),
        ({ values }) => (values.get(written) ?? 0) > 0,
        60_000,
      );
      assert.equal((await fetch(url)).status, 401);
      const share = value(metrics, 'twinrank_reindex_progress_ratio');
      assert.ok(share > 0 && share < 1, `it is under way: ${share}`);
      assert.equal(value(metrics, 'twinrank_reindex_pass'), 1);
      assert.equal(value(metrics, 'twinrank_encoder_workers') > 0, true);
    } finally {
      reindex.child.kill('SIGTERM');
      await reindex.ended;
    }
  });
});
