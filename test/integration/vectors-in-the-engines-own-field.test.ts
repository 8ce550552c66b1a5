/**
 * Vectors in the engine's own vector field, beside the binary field and instead of it: they serve retrieval, and
 * reranking shows its callers what an index without any of our fields would have shown. The engine, an OpenSearch
 * with the k-NN plugin, is started here.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startEngine, type Engine } from '../../scripts/engine/engine.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import { TwinrankError } from '../../src/errors.js';
import { vectorState } from '../../src/ingest/vector-state.js';
import { scanResponse } from '../../src/rerank/search-response.js';
import { settingsByIndex } from '../../src/search-engine/index-settings.js';
import type { IndexSettings } from '../../src/search-engine/mapping-meta.js';
import { decodePayload } from '../../src/search-engine/vector-payload.js';
import { runCommand } from './support/captured-io.js';
import { jsonBody } from './support/engine.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { startStack, type Stack } from './support/stack.js';

const NAMED = (process.env['TWINRANK_TEST_ENGINES'] ?? '').split(',').filter((name) => name !== '');
const skip =
  NAMED.length > 0
    ? NAMED.includes('knn')
      ? false
      : 'TWINRANK_TEST_ENGINES does not name it.'
    : (process.env['OPENSEARCH_URL'] ?? '') === ''
      ? false
      : 'OPENSEARCH_URL names an engine, none is started here.';

const QUERY = 'I do not remember my password';
const APPLIED = /^applied; window=100; scored=6; encode=[\d.]+ms; score=[\d.]+ms$/;
/** Written as it shall come back: numbers, escapes and layout that parsing and printing would change. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  d0: '{"title":"Reset your password", "n": 9007199254740993, "x": 1.0, "z": -0.0}',
  d1: '{ "title" : "Password rules for company accounts" , "e":1E+2, "s": "\\u00e9\\/" }',
  d2: '{"title":"I forgot my password and cannot sign in"}',
  d3: '{"o":{"a" : [ 1.50, 2e0 ]},"title":"Password manager for phones"}',
  d4: '{"title":"Show or hide the p\\u0061ssword while typing","t":\t"\u4e2d\u6587"}',
  d5: '{"n":5,"title":"Remove the password from a document","s":"a"}',
  d6: '{"title":"忘记密码怎么办"}',
};
const MAPPINGS = {
  properties: { title: { type: 'text', store: true }, n: { type: 'long' }, s: { type: 'keyword' } },
};

/** What a caller may say about the parts of its hits: query string and body. */
const WISHES: readonly (readonly [string, Record<string, unknown>])[] = [
  ['', {}],
  ['', { _source: true }],
  ['', { _source: false }],
  ['', { _source: 'title' }],
  ['', { _source: ['title', 'o.*'] }],
  ['', { _source: '*' }],
  ['', { _source: { includes: ['t*'] } }],
  ['', { _source: { excludes: ['title'] } }],
  ['', { _source: { includes: ['*'], excludes: ['o', 'n'] } }],
  ['', { _source: [] }],
  ['_source=false', {}],
  ['_source=true', { _source: ['n'] }],
  ['_source=title,n', {}],
  ['_source_includes=title,o', {}],
  ['_source_excludes=title', {}],
  ['_source_includes=*&_source_excludes=n', { _source: false }],
  ['', { fields: ['title'] }],
  ['', { fields: ['*'] }],
  ['', { fields: ['*'], _source: false }],
  ['', { fields: ['title', { field: 'n' }], _source: ['n'] }],
  ['', { docvalue_fields: ['n'], _source: false }],
  ['docvalue_fields=s', { _source: ['n'] }],
  ['', { _source: false, script_fields: { twice: { script: "doc['n'].size() * 2" } } }],
  ['', { version: true, seq_no_primary_term: true, highlight: { fields: { title: {} } } }],
  ['pretty', {}],
  ['pretty', { _source: ['n'] }],
];

interface Found {
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _score: number }[] };
}

describe('vectors in the field type of an OpenSearch with k-NN', { skip }, () => {
  let engine: Engine;
  let stack: Stack;
  before(async () => {
    engine = await startEngine({ version: 'knn', heap: '512m' });
    stack = await startStack(engine.url);
    await send(engine.url, 'PUT', '/bare', { mappings: MAPPINGS, settings: { number_of_shards: 1 } });
    await load(engine.url, 'bare');
  });
  after(async () => {
    await (stack as Stack | undefined)?.close();
    await (engine as Engine | undefined)?.stop();
  });

  async function send(url: string, method: string, path: string, body?: unknown): Promise<RawResponse> {
    const answer = await rawRequest({ url, method, path, ...jsonBody(body) });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.body.toString()}`);
    return answer;
  }
  const load = async (url: string, index: string): Promise<RawResponse> => {
    const lines = Object.entries(DOCUMENTS).map(([id, source]) => `{"index":{"_id":"${id}"}}\n${source}\n`);
    const answer = await send(url, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''));
    assert.ok(answer.body.includes('"errors":false'), answer.body.toString());
    return answer;
  };
  const apply = (flags: Record<string, unknown>): ReturnType<typeof runCommand> =>
    runCommand(mappingCommand, { to: engine.url, ...flags }, ['apply']);
  const search = (
    url: string,
    index: string,
    [parameters, wishes]: readonly [string, object] = ['', {}],
  ): Promise<RawResponse> =>
    send(url, 'POST', `/${index}/_search?${parameters}`, { query: { match: { title: QUERY } }, ...wishes });
  const ids = (answer: RawResponse): string[] =>
    (JSON.parse(answer.body.toString()) as Found).hits.hits.map((hit) => hit._id);
  /** The hits' own bytes by id, without index name and score. */
  const hitTexts = (answer: RawResponse): string[] => {
    const { hits } = scanResponse(answer.body);
    return hits
      .map((hit) =>
        answer.body
          .toString('utf8', hit.start, hit.end)
          .replace(/"_index"( ?: ?)"\w+"/, '"_index"$1"…"')
          .replace(/"_score"( ?: ?)[^,}\s]+/, '"_score"$1…'),
      )
      .sort((a, b) => (/"_id"[^,]+/.exec(a)?.[0] ?? '').localeCompare(/"_id"[^,]+/.exec(b)?.[0] ?? ''));
  };
  const sourceOf = async (index: string, id: string): Promise<Buffer> =>
    (await send(engine.url, 'GET', `/${index}/_source/${id}`)).body;
  const settingsOf = async (index: string): Promise<IndexSettings> => {
    const answer = await send(engine.url, 'GET', `/${index}/_mapping`);
    const settings = settingsByIndex(JSON.parse(answer.body.toString())).get(index);
    assert.ok(settings);
    return settings;
  };
  const refused = (pattern: RegExp) => (error: unknown) =>
    error instanceof TwinrankError && pattern.test(error.message);

  for (const storage of ['both', 'native'] as const) {
    describe(`with --storage ${storage}`, () => {
      before(async () => {
        assert.match((await apply({ index: storage, storage })).stdout, /is made and set up/);
        await send(engine.url, 'PUT', `/${storage}/_mapping`, MAPPINGS);
        const loaded = await load(stack.sidecar, storage);
        assert.equal(loaded.headers['x-twinrank'], 'ingested; vector=7');
      });

      it('is set up once', async () => {
        assert.match((await apply({ index: storage, storage })).stdout, /nothing to change/);
        const shown = await runCommand(mappingCommand, { to: engine.url, index: storage }, ['show']);
        assert.match(shown.stdout, /native field +twinrank_knn \(knn_vector, (beside|instead)\)/);
        await assert.rejects(apply({ index: storage }), refused(/another storage.*--force/));
      });

      it('every document has its vector fresh', async () => {
        const settings = await settingsOf(storage);
        for (const id of Object.keys(DOCUMENTS))
          assert.equal(vectorState(await sourceOf(storage, id), settings).vector, 'fresh', id);
      });

      it('orders as the binary field does', async () => {
        const answer = await search(stack.proxy, storage);
        assert.match(String(answer.headers['x-twinrank']), APPLIED);
        assert.equal(ids(answer)[0], 'd2');
      });

      for (const wish of WISHES) {
        it(`shows what an index without vectors shows: ${wish[0]} ${JSON.stringify(wish[1])}`, async () => {
          const through = await search(stack.proxy, storage, wish);
          const direct = await search(engine.url, 'bare', wish);
          assert.match(String(through.headers['x-twinrank']), APPLIED);
          assert.equal(ids(through)[0], 'd2');
          assert.deepEqual(hitTexts(through), hitTexts(direct));
        });
      }

      it('shows the fields to a caller who names them', async () => {
        for (const [parameters, wishes] of [
          ['', { _source: ['title', 'twinrank_knn', 'twinrank_vector'] }],
          ['_source_includes=twinrank_knn,twinrank_vector', {}],
          ['', { _source: false, fields: ['twinrank_knn', 'title'], docvalue_fields: ['twinrank_vector'] }],
          ['', { _source: ['twinrank_vector', 'twinrank_knn'], fields: ['twinrank_knn'] }],
        ] as const) {
          const through = await search(stack.proxy, storage, [parameters, wishes]);
          const direct = await search(engine.url, storage, [parameters, wishes]);
          assert.match(String(through.headers['x-twinrank']), /^applied; window=100; scored=6; /);
          const shown = hitTexts(through);
          assert.deepEqual(shown, hitTexts(direct));
          assert.ok(shown.every((text) => text.includes('"twinrank_knn":[')));
        }
      });

      it('leaves stored fields to the engine', async () => {
        const wish = ['stored_fields=title', {}] as const;
        const through = await search(stack.proxy, storage, wish);
        assert.equal(through.headers['x-twinrank'], 'skipped; reason=stored_fields');
        assert.deepEqual(hitTexts(through), hitTexts(await search(engine.url, 'bare', wish)));
      });

      it('finds the nearest document by the very vectors', async () => {
        const settings = await settingsOf(storage);
        for (const [id, text] of [
          ['d3', 'Password manager for phones'],
          ['d6', '忘记密码怎么办'],
        ] as const) {
          const [vector] = await stack.encoder.encode([text], {
            kind: 'document',
            signal: AbortSignal.timeout(60_000),
          });
          assert.equal(vector?.length, settings.dimensions);
          const query = { knn: { twinrank_knn: { vector: [...vector], k: 3 } } };
          const answer = await send(stack.proxy, 'POST', `/${storage}/_search`, { query });
          assert.match(String(answer.headers['x-twinrank']), /^skipped; reason=(knn|no_query_text)$/);
          const { hits } = (JSON.parse(answer.body.toString()) as Found).hits;
          assert.equal(hits[0]?._id, id);
          assert.ok(hits[0]._score > 0.9999, String(hits[0]._score));
        }
      });

      it('reranks what words and vectors found together', async () => {
        const [vector] = await stack.encoder.encode([QUERY], {
          kind: 'query',
          signal: AbortSignal.timeout(60_000),
        });
        const knn = { knn: { twinrank_knn: { vector: [...(vector ?? [])], k: 7 } } };
        const query = { bool: { should: [{ match: { title: 'password' } }, knn] } };
        const answer = await send(stack.proxy, 'POST', `/${storage}/_search`, { query });
        assert.match(String(answer.headers['x-twinrank']), /^applied; window=100; scored=7; /);
      });

      it('keeps both fields at an update of another field, and replaces both with a new title', async () => {
        const settings = await settingsOf(storage);
        const id = 'changing';
        const put = (title: string): Promise<RawResponse> =>
          send(stack.sidecar, 'PUT', `/${storage}/_doc/${id}?refresh=true`, {
            title,
            twinrank_knn: [1],
            twinrank_vector: 'x',
          });
        await put('bicycle for children');
        const first = JSON.parse((await sourceOf(storage, id)).toString()) as Record<string, unknown>;
        assert.equal((first['twinrank_knn'] as number[]).length, settings.dimensions);
        await send(engine.url, 'POST', `/${storage}/_update/${id}?refresh=true`, { doc: { n: 1 } });
        assert.equal(vectorState(await sourceOf(storage, id), settings).vector, 'fresh');
        await send(engine.url, 'POST', `/${storage}/_update/${id}?refresh=true`, { doc: { title: 'car' } });
        assert.equal(vectorState(await sourceOf(storage, id), settings).vector, 'stale');
        await put('car for children');
        assert.equal(vectorState(await sourceOf(storage, id), settings).vector, 'fresh');
        const last = JSON.parse((await sourceOf(storage, id)).toString()) as Record<string, unknown>;
        assert.notDeepEqual(last['twinrank_knn'], first['twinrank_knn']);
        await send(engine.url, 'POST', `/${storage}/_update/${id}`, { doc: { twinrank_knn: null } });
        assert.equal(vectorState(await sourceOf(storage, id), settings).vector, 'missing');
        await send(engine.url, 'DELETE', `/${storage}/_doc/${id}?refresh=true`);
      });
    });
  }

  it('keeps the very same values in both fields, and reads them wherever they come from', async () => {
    await apply({ index: 'exact', storage: 'both', codec: 'f32' });
    await send(engine.url, 'PUT', '/exact/_mapping', MAPPINGS);
    await load(stack.sidecar, 'exact');
    const settings = await settingsOf('exact');
    for (const id of Object.keys(DOCUMENTS)) {
      const stored = JSON.parse((await sourceOf('exact', id)).toString()) as Record<string, unknown>;
      const payload = decodePayload(stored['twinrank_vector'] as string, settings);
      assert.ok(typeof payload !== 'string');
      assert.deepEqual(Float32Array.from(stored['twinrank_knn'] as number[]), payload.vector);
    }
    const scores = async (wishes: object): Promise<unknown> =>
      (
        JSON.parse((await search(stack.proxy, 'native', ['', wishes])).body.toString()) as Found
      ).hits.hits.map(({ _id, _score }) => [_id, _score]);
    assert.deepEqual(await scores({ _source: false }), await scores({}));
  });

  it('searches indices of all storages together', async () => {
    const answer = await search(stack.proxy, 'both,native,exact', ['', { _source: ['n'], size: 30 }]);
    assert.match(String(answer.headers['x-twinrank']), /^applied; window=100; scored=18; /);
    assert.ok(!answer.body.includes('twinrank'), answer.body.toString());
  });

  it('reads each storage in a multi-search', async () => {
    const lines = ['native', 'both'].flatMap((index) =>
      [{}, { _source: false }].flatMap((wishes) => [
        JSON.stringify({ index }),
        JSON.stringify({ query: { match: { title: QUERY } }, ...wishes }),
      ]),
    );
    const answer = await send(stack.proxy, 'POST', '/_msearch', `${lines.join('\n')}\n`);
    assert.match(String(answer.headers['x-twinrank']), /^msearch; applied=4; encode=/);
    assert.ok(!answer.body.includes('twinrank_'), answer.body.toString());
  });

  it('goes on reading documents from before the storage was changed', async () => {
    await send(engine.url, 'PUT', '/moved', {
      settings: { 'index.knn': true },
      mappings: MAPPINGS,
    });
    await apply({ index: 'moved' });
    await load(stack.sidecar, 'moved');
    assert.match((await apply({ index: 'moved', storage: 'native' })).stdout, /native: none -> /);
    const settings = await settingsOf('moved');
    assert.equal(vectorState(await sourceOf('moved', 'd1'), settings).vector, 'other_storage');
    await send(stack.sidecar, 'PUT', '/moved/_doc/d2?refresh=true', DOCUMENTS['d2'] ?? '');
    assert.equal(vectorState(await sourceOf('moved', 'd2'), settings).vector, 'fresh');
    for (const wishes of [{}, { _source: false }]) {
      const answer = await search(stack.proxy, 'moved', ['', wishes]);
      assert.match(String(answer.headers['x-twinrank']), APPLIED);
    }
  });

  it('cannot be had by an index that was made without graphs, and the index stays as it is', async () => {
    await send(engine.url, 'PUT', '/old', { mappings: MAPPINGS });
    await assert.rejects(
      apply({ index: 'old', storage: 'both' }),
      refused(/"old" was made without index\.knn=true.*reindex --dest/),
    );
    const after = await send(engine.url, 'GET', '/old/_mapping');
    assert.ok(!after.body.includes('twinrank'));
  });

  it('refuses a field that is something else', async () => {
    await assert.rejects(
      apply({ index: 'both', storage: 'both', 'native-field': 'title', 'vector-field': 'title' }),
      refused(/must differ/),
    );
    await assert.rejects(
      apply({ index: 'bare', storage: 'both', 'native-field': 's' }),
      refused(/already has a field "s" of another kind/),
    );
  });

  it('comes by a template, which keeps its other settings', async () => {
    const flags = { template: 'news', pattern: ['news-*'], storage: 'native' };
    await send(engine.url, 'PUT', '/_index_template/news', {
      index_patterns: ['news-*'],
      template: { settings: { index: { number_of_replicas: 0 } } },
    });
    assert.match((await apply(flags)).stdout, /is set up/);
    assert.match((await apply(flags)).stdout, /nothing to change/);
    const written = await send(stack.sidecar, 'PUT', '/news-1/_doc/1?refresh=true', {
      title: 'a red bicycle',
    });
    assert.equal(written.headers['x-twinrank'], 'ingested; vector=1');
    const made = await send(engine.url, 'GET', '/news-1/_settings?flat_settings=true');
    assert.match(made.body.toString(), /"index\.knn":"true".*"index\.number_of_replicas":"0"/);
    const answer = await send(stack.proxy, 'POST', '/news-*/_search', {
      query: { match: { title: 'bicycle' } },
    });
    assert.match(String(answer.headers['x-twinrank']), /^applied; window=100; scored=1; /);
  });
});
