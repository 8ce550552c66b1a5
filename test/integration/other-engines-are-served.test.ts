/**
 * What the other integration tests show with OpenSearch 2 holds for the engines on either side of it. Each is
 * started here, where this machine has the Java that it needs; `TWINRANK_TEST_ENGINES=3.8.0,7.10.2` names those
 * that must run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startEngine, type Engine } from '../../scripts/engine/engine.js';
import { ENGINES, type EngineVersion } from '../../scripts/engine/engine-table.js';
import { findJava } from '../../scripts/engine/java.js';
import { catalog } from '../../src/cli/catalog.js';
import { doctorCommand } from '../../src/cli/commands/doctor.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { hashText, readHeader } from '../../src/search-engine/vector-payload.js';
import { withVector } from '../../src/ingest/document-vector.js';
import { finishDest, prepareDest } from '../../src/ingest/reindex/prepare-dest.js';
import { answerText } from './support/answer-text.js';
import { runCommand } from './support/captured-io.js';
import { jsonBody } from './support/engine.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { reindexPass } from './support/reindexing.js';
import { startStack, type Stack } from './support/stack.js';

const OTHERS = ['3.8.0', '7.10.2'] as const satisfies readonly EngineVersion[];
const QUERY = 'I do not remember my password';
const APPLIED = /^applied; window=100; scored=6; /;
/** Written as it shall come back: numbers, escapes and layout that parsing and printing would change. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  d0: '{"title":"Reset your password", "n": 9007199254740993, "x": 1.0, "z": -0.0}',
  d1: '{ "title" : "Password rules for company accounts" , "e":1E+2, "s": "\\u00e9\\/" }',
  d2: '{"title":"I forgot my password and cannot sign in"}',
  d3: '{"o":{"a" : [ 1.50, 2e0 ]},"title":"Password manager for phones"}',
  d4: '{"title":"Show or hide the p\\u0061ssword while typing","t":\t"\u4e2d\u6587"}',
  d5: '{"place":5,"title":"Remove the password from a document"}',
  d6: '{"title":"忘记密码怎么办"}',
  d7: '{"title":"修改登录密码"}',
};

interface Found {
  readonly hits: {
    readonly total: unknown;
    readonly max_score: number;
    readonly hits: readonly { readonly _id: string; readonly _type?: string; readonly _score: number }[];
  };
}

const wanted = (process.env['TWINRANK_TEST_ENGINES'] ?? '').split(',').filter((name) => name !== '');

/** Why an engine is left out; undefined where it is to run. */
async function leftOut(version: EngineVersion): Promise<string | undefined> {
  if (wanted.length > 0) {
    return wanted.includes(version) ? undefined : 'TWINRANK_TEST_ENGINES does not name it.';
  }
  if ((process.env['OPENSEARCH_URL'] ?? '') !== '') {
    return 'OPENSEARCH_URL names an engine, none is started here.';
  }
  const missing = await findJava(ENGINES[version].java, ENGINES[version].title).catch(
    (error: Error) => error,
  );
  return typeof missing === 'string' ? undefined : missing.message;
}

for (const version of OTHERS) {
  const why = await leftOut(version);
  describe(`${ENGINES[version].title} is served`, { skip: why ?? false }, () => {
    const index = 'help';
    let engine: Engine;
    let stack: Stack;
    before(async () => {
      engine = await startEngine({ version, heap: '384m' });
      stack = await startStack(engine.url);
      await send(engine.url, 'PUT', `/${index}`, {
        settings: { number_of_replicas: 0 },
        mappings: { properties: { title: { type: 'text', analyzer: 'cjk' } } },
      });
      const applied = await runCommand(mappingCommand, { to: engine.url, index }, ['apply']);
      assert.match(applied.stdout, /is set up/);
      const lines = Object.entries(DOCUMENTS).map(([id, source]) => `{"index":{"_id":"${id}"}}\n${source}\n`);
      const loaded = await send(stack.sidecar, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''));
      assert.equal(loaded.headers['x-twinrank'], 'ingested; vector=8');
      assert.equal((JSON.parse(loaded.body.toString()) as { errors: boolean }).errors, false);
    });
    after(async () => {
      await (stack as Stack | undefined)?.close();
      await (engine as Engine | undefined)?.stop();
    });

    async function send(url: string, method: string, path: string, body: unknown): Promise<RawResponse> {
      const answer = await rawRequest({ url, method, path, ...jsonBody(body) });
      assert.ok(answer.status < 300, answer.body.toString());
      return answer;
    }
    const search = (url: string, wishes: object = {}, parameters = ''): Promise<RawResponse> =>
      send(url, 'POST', `/${index}/_search${parameters}`, { query: { match: { title: QUERY } }, ...wishes });
    const found = (answer: RawResponse): Found => JSON.parse(answer.body.toString()) as Found;

    it('is set up once, and the set-up is read back', async () => {
      const again = await runCommand(mappingCommand, { to: engine.url, index }, ['apply']);
      assert.match(again.stdout, /nothing to change/);
      const shown = await runCommand(mappingCommand, { to: engine.url, index, json: true }, ['show']);
      assert.deepEqual(
        (JSON.parse(shown.stdout) as Record<string, { textFields: unknown }>)[index]?.textFields,
        ['title'],
      );
    });

    it('says what it lacks for vector fields of its own', async () => {
      await assert.rejects(
        runCommand(mappingCommand, { to: engine.url, index: 'own', storage: 'both' }, ['apply']),
        version === '7.10.2' ? /no dense_vector fields.*Apache-2/ : /k-NN plugin is not on/,
      );
    });

    it('gives its hits in the order of the model, each with its own bytes', async () => {
      const direct = await search(engine.url);
      const through = await search(stack.proxy);
      assert.match(String(through.headers['x-twinrank']), APPLIED);
      const { hits, max_score, total } = found(through).hits;
      assert.equal(hits[0]?._id, 'd2');
      assert.equal(max_score, hits[0]._score);
      assert.ok(hits.every((hit, i) => hit._score <= (hits[i - 1]?._score ?? 1)));
      assert.deepEqual(total, { value: 6, relation: 'eq' });
      assert.equal(hits[0]._type, version === '7.10.2' ? '_doc' : undefined);
      const [ours, theirs] = [answerText(through.body), answerText(direct.body)];
      assert.equal(ours.around, theirs.around);
      assert.deepEqual([...ours.hits].sort(), [...theirs.hits].sort());
    });

    it('keeps the bytes of every document', async () => {
      const { body } = await search(stack.proxy, { query: { match: { title: 'password 密码' } } });
      for (const source of Object.values(DOCUMENTS)) {
        assert.ok(body.includes(`"_source":${source}}`), `${source} in ${body.toString()}`);
      }
    });

    it('reads vectors from doc values where the caller wants no _source, or only a part', async () => {
      for (const _source of [false, ['title'], { excludes: ['title'] }]) {
        const direct = await search(engine.url, { _source });
        const through = await search(stack.proxy, { _source });
        assert.match(String(through.headers['x-twinrank']), APPLIED);
        assert.equal(found(through).hits.hits[0]?._id, 'd2');
        const [ours, theirs] = [answerText(through.body), answerText(direct.body)];
        assert.deepEqual([...ours.hits].sort(), [...theirs.hits].sort());
      }
    });

    it('gives every hit once over all pages, and a total as a number on request', async () => {
      const whole = found(await search(stack.proxy)).hits.hits.map((hit) => hit._id);
      const pages: string[] = [];
      for (let from = 0; from < whole.length; from += 2) {
        const { hits } = found(
          await search(stack.proxy, {}, `?from=${from}&size=2&rest_total_hits_as_int=true`),
        );
        assert.equal(hits.total, 6);
        pages.push(...hits.hits.map((hit) => hit._id));
      }
      assert.deepEqual(pages, whole);
    });

    it('sees by the title that a vector is out of date', async () => {
      const other = 'changed';
      await stack.setUp(other);
      const put = (url: string, id: string, title: string): Promise<RawResponse> =>
        send(url, 'PUT', `/${other}/_doc/${id}?refresh=true`, { title });
      await put(stack.sidecar, 'fresh', 'password forgotten');
      await put(stack.sidecar, 'stale', 'forgotten password');
      await send(engine.url, 'POST', `/${other}/_update/stale?refresh=true`, {
        doc: { title: 'password manager' },
      });
      const answer = await send(stack.proxy, 'POST', `/${other}/_search`, {
        query: { match: { title: 'forgotten password' } },
      });
      assert.match(String(answer.headers['x-twinrank']), /stale=1|encoded_now=1/);
      assert.equal(found(answer).hits.hits[0]?._id, 'fresh');
    });

    it('keeps the vector with the text through updates', async () => {
      const edited = 'edited';
      await stack.setUp(edited, { textFields: ['title', 'body'] });
      await send(stack.sidecar, 'PUT', `/${edited}/_doc/1`, { title: 't', body: 'b' });
      const paths = [`/${edited}/_update/1`, ...(version === '7.10.2' ? [`/${edited}/_doc/1/_update`] : [])];
      for (const path of paths) {
        const title = `title by ${path}`;
        const answer = await send(stack.sidecar, 'POST', path, { doc: { title } });
        assert.equal(answer.headers['x-twinrank'], 'ingested; vector=1');
        const again = await send(stack.sidecar, 'POST', path, { doc: { title } });
        assert.match(again.body.toString(), /"result":"noop"/);
        const read = await send(engine.url, 'GET', `/${edited}/_doc/1`, undefined);
        const { _source } = JSON.parse(read.body.toString()) as { _source: Record<string, string> };
        const header = readHeader(Buffer.from(_source['twinrank_vector'] ?? '', 'base64'));
        assert.equal(header?.textHash, hashText(`${title} b`));
      }
    });

    it('makes an index by its template when the first document comes through the sidecar', async () => {
      const flags = { to: engine.url, template: 'news', pattern: ['news-*'] };
      assert.match((await runCommand(mappingCommand, flags, ['apply'])).stdout, /set up/);
      const written = await send(stack.sidecar, 'PUT', '/news-1/_doc/1?refresh=true', {
        title: 'a red bicycle',
      });
      assert.equal(written.headers['x-twinrank'], 'ingested; vector=1');
      const answer = await send(stack.proxy, 'POST', '/news-*/_search', {
        query: { match: { title: 'bicycle' } },
      });
      assert.match(String(answer.headers['x-twinrank']), /^applied; window=100; scored=1; /);
    });

    it('gives documents their vectors where they are, and in a copy', async () => {
      const [raw, copy] = ['written-past-the-sidecar', 'copied'];
      const settings = await stack.setUp(raw);
      for (const [id, source] of Object.entries(DOCUMENTS)) {
        const path = `/${raw}/_doc/${id}`;
        const headers = { 'content-type': 'application/json' };
        await rawRequest({ url: engine.url, method: 'PUT', path, headers, body: source });
      }
      const { name } = stack.bundle.manifest;
      const model = { ...stack.bundle, name };
      const prepared = await prepareDest(stack.client, raw, copy, model, AbortSignal.timeout(30_000));
      const copied = await reindexPass(stack, raw, prepared.settings, { target: { dest: copy } });
      assert.deepEqual([copied.failures, copied.counts.written], [[], 8]);
      assert.equal(
        (await reindexPass(stack, raw, prepared.settings, { target: { dest: copy } })).counts.fresh,
        8,
      );
      const inPlace = await reindexPass(stack, raw, settings);
      assert.deepEqual([inPlace.failures, inPlace.counts.written], [[], 8]);
      assert.equal((await reindexPass(stack, raw, settings)).counts.fresh, 8);
      await finishDest(stack.client, copy, AbortSignal.timeout(30_000));
      for (const of of [raw, copy]) {
        for (const [id, source] of Object.entries(DOCUMENTS)) {
          const { body } = await rawRequest({ url: engine.url, method: 'GET', path: `/${of}/_source/${id}` });
          assert.equal(withVector(body, settings).toString(), source);
        }
      }
    });

    if (version === '7.10.2') {
      it('takes a bulk body to a type', async () => {
        await stack.setUp('typed');
        const body = '{"index":{"_id":"1"}}\n{"title":"a red bicycle"}\n';
        const written = await send(stack.sidecar, 'POST', '/typed/_doc/_bulk?refresh=true', body);
        assert.equal(written.headers['x-twinrank'], 'ingested; vector=1');
        const query = { match: { title: 'bicycle' } };
        const answer = await send(stack.proxy, 'POST', '/typed/_search', { query });
        assert.match(String(answer.headers['x-twinrank']), /^applied; window=100; scored=1; enc/);
      });
    }

    it('is looked at by doctor: its version, rights, set-up, templates, vectors and a search', async () => {
      const flags = { upstream: engine.url, index, proxy: stack.proxy, 'skip-model': true, json: true };
      const { code, stdout } = await runCommand(doctorCommand(catalog), flags);
      const { findings } = JSON.parse(stdout) as { findings: Finding[] };
      const of = (name: Finding['check']): string =>
        findings.find(({ check }) => check === name)?.message ?? '';
      const inOrder = findings.filter(({ status }) => status === 'ok').map(({ check }) => check);
      const must: Finding['check'][] = [
        'permissions',
        'mapping',
        'index-model',
        'template',
        'vectors',
        'search-time',
        'proxy',
      ];
      assert.deepEqual(
        [code, must.filter((check) => !inOrder.includes(check))],
        [0, []],
        JSON.stringify(findings),
      );
      assert.equal(of('version'), `${ENGINES[version].title}.`);
      assert.match(of('vectors'), /all of its 8 documents, 8 fresh/);
      assert.match(of('proxy-search'), /6 of 6 searches were reranked/);
    });

    it("hands on the engine's own words for what it refuses", async () => {
      const request = {
        method: 'POST',
        path: `/${index}/_search`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: { match: { title: { query: QUERY, operator: 'sideways' } } } }),
      };
      const direct = await rawRequest({ url: engine.url, ...request });
      const through = await rawRequest({ url: stack.proxy, ...request });
      assert.equal(through.status, 400);
      assert.equal(through.body.toString(), direct.body.toString());
    });
  });
}
