/** `twinrank doctor` on the real engine and the real services: all is well, then one fault after the other. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { catalog } from '../../src/cli/catalog.js';
import { doctorCommand } from '../../src/cli/commands/doctor.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { runCommand } from './support/captured-io.js';
import { rawRequest } from './support/raw-request.js';
import { rawDocuments } from './support/reindexing.js';
import { stackFixture } from './support/stack.js';
import { startWatched, type WatchedService } from './support/watched-service.js';

interface Examined {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** `check status` of all that is neither ok nor skipped. */
  readonly faults: readonly string[];
  of(check: string): Finding;
}

/** What depends on who else uses this machine. */
const OF_THE_MOMENT = ['cores', 'memory', 'search-time'];
const NOWHERE = 'http://127.0.0.1:1';

describe('twinrank doctor', () => {
  const { engine, stack } = stackFixture();
  const documents = rawDocuments(engine);
  const services: WatchedService[] = [];
  const relays: Server[] = [];
  let proxy: string;
  let proxyAdmin: string;
  let sidecar: string;
  let sidecarAdmin: string;
  let healthy: string;

  before(async () => {
    const start = async (
      name: 'ingest' | 'rerank',
      ...args: readonly string[]
    ): Promise<[string, string]> => {
      const service = await startWatched(name, engine.url, args);
      services.push(service);
      return [service.url, /admin on (\S+)/.exec(service.written())?.[1] ?? ''];
    };
    [proxy, proxyAdmin] = await start('rerank', '--budget', '60000');
    [sidecar, sidecarAdmin] = await start('ingest');
    healthy = await filled(60);
  });
  after(async () => {
    await Promise.all(services.map((service) => service.stop()));
    for (const relay of relays) relay.close();
  });

  /** An index that is set up, with titles and their vectors. */
  async function filled(count: number): Promise<string> {
    const index = engine.index();
    await stack.setUp(index);
    const lines = Array.from(
      { length: count },
      (_, n) => `{"index":{"_id":"d${n}"}}\n{"title":"Title number ${n}"}\n`,
    );
    await bulk(`${stack.sidecar}/${index}/_bulk?refresh=true`, lines.join(''));
    return index;
  }
  async function bulk(url: string, body: string): Promise<void> {
    const { origin, pathname, search } = new URL(url);
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await rawRequest({ url: origin, method: 'POST', path: pathname + search, headers, body });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal((JSON.parse(answer.body.toString()) as { errors: boolean }).errors, false);
  }
  async function examine(flags: Record<string, unknown>): Promise<Examined> {
    const all = { upstream: engine.url, 'skip-model': true, budget: '60000', json: true, ...flags };
    const { code, stdout } = await runCommand(doctorCommand(catalog), all);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const faults = findings.filter(
      ({ check, status }) => (status === 'warn' || status === 'fail') && !OF_THE_MOMENT.includes(check),
    );
    return {
      code,
      findings,
      faults: faults.map(({ check, status }) => `${check} ${status}`),
      of: (check) => findings.find((finding) => finding.check === check) ?? assert.fail(`no ${check}`),
    };
  }
  /** The engine with other words for some paths. */
  async function relay(change: (path: string, body: string) => string): Promise<string> {
    const server = createServer((request, response) => {
      const path = request.url ?? '/';
      const parts: Buffer[] = [];
      request.on('data', (chunk: Buffer) => parts.push(chunk));
      request.on('end', () => {
        const type = request.headers['content-type'];
        const headers = type === undefined ? {} : { 'content-type': type };
        const body = Buffer.concat(parts);
        void rawRequest({
          url: engine.url,
          method: request.method ?? 'GET',
          path,
          headers,
          ...(body.length > 0 ? { body } : {}),
        })
          .then((answer) => {
            response.writeHead(answer.status, { 'content-type': 'application/json' });
            response.end(change(path, answer.body.toString()));
          })
          .catch(() => response.destroy());
      });
    });
    relays.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('finds a healthy stack in order, the model proved and measured', async () => {
    const found = await examine({
      index: healthy,
      proxy,
      'proxy-admin': proxyAdmin,
      sidecar,
      'sidecar-admin': sidecarAdmin,
      for: ['proxy', 'sidecar', 'reindex'],
      'skip-model': false,
    });
    assert.deepEqual(found.faults, []);
    assert.equal(found.code, 0);
    const unsure = found.findings.filter(
      ({ check, status }) => status !== 'ok' && !OF_THE_MOMENT.includes(check),
    );
    assert.deepEqual(unsure, []);
    assert.match(
      found.of('vectors').message,
      /^100\.0 % of the vectors are fresh: all of its 60 documents, 60 fresh\.$/,
    );
    assert.match(found.of('proxy-search').message, /^18 of 18 searches were reranked/);
    assert.match(found.of('model').message, /golden examples/);
    assert.match(found.of('sidecar').message, /the same cluster/);
  });

  it('changes nothing', async () => {
    // Other tests use the same engine: these two are nobody else's.
    const ours = `${healthy},no-such-index-at-al*`;
    const state = async (): Promise<unknown> =>
      [
        await engine.call('GET', `/_cat/indices/${ours}?format=json&h=index,docs.count,docs.deleted`),
        await engine.call('GET', `/${healthy}/_stats/indexing?filter_path=_all.total.indexing.index_total`),
        await engine.call(
          'GET',
          `/${healthy}/_stats?level=shards&filter_path=indices.*.shards.*.seq_no.max_seq_no`,
        ),
        await engine.call('GET', `/_cluster/state/metadata/${ours}?filter_path=metadata.indices.*.version`),
        await engine.call('GET', `/${healthy}`),
      ].map((part) => JSON.stringify(part));
    const before = await state();
    await examine({ index: healthy, proxy, for: ['proxy', 'sidecar', 'reindex'] });
    await examine({ index: 'no-such-index-at-all', for: ['reindex'] });
    await examine({ for: ['reindex'] });
    assert.deepEqual(await state(), before);
  });

  it('looks at all indices that are set up where none is named', async () => {
    const other = await filled(3);
    const found = await examine({});
    const named = new Set(found.findings.flatMap(({ index }) => (index === undefined ? [] : [index])));
    assert.ok(named.has(healthy) && named.has(other));
  });

  it('names an engine that is down, and still looks at what is here', async () => {
    const found = await examine({ upstream: NOWHERE, index: healthy });
    assert.deepEqual([found.code, found.faults], [1, ['engine fail']]);
    assert.equal(found.of('model').status, 'ok');
    assert.equal(found.of('index').status, 'skipped');
  });

  it('names TLS where the engine has none', async () => {
    const found = await examine({ upstream: engine.url.replace('http:', 'https:'), index: healthy });
    assert.deepEqual([found.code, found.faults], [1, ['tls fail']]);
    assert.match(found.of('tls').remedy ?? '', /http: address/);
  });

  it('names a version that is too old, and warns of one that is too new', async () => {
    const version = (number: string): Promise<string> =>
      relay((path, body) =>
        path === '/' ? body.replace(/"number" ?: ?"[^"]*"/, `"number":"${number}"`) : body,
      );
    const old = await examine({ upstream: await version('0.9.0'), index: healthy });
    assert.deepEqual([old.code, old.faults], [1, ['version fail']]);
    const next = await examine({ upstream: await version('4.0.0'), index: healthy });
    assert.deepEqual([next.code, next.faults], [0, ['version warn']]);
    const strict = await examine({ upstream: await version('4.0.0'), index: healthy, strict: true });
    assert.equal(strict.code, 1);
  });

  it('names what is no engine', async () => {
    const found = await examine({
      upstream: await relay((path, body) => (path === '/' ? '{}' : body)),
      index: healthy,
    });
    assert.deepEqual([found.code, found.faults], [1, ['version fail']]);
    assert.match(found.of('version').message, /not that of an OpenSearch or Elasticsearch/);
  });

  it('names an engine whose clock is off', async () => {
    const upstream = await relay((_, body) =>
      body.replace(/"timestamp":(\d{13})/, '"timestamp":1600000000000'),
    );
    const found = await examine({ upstream, index: healthy });
    assert.deepEqual(found.faults, ['clock warn']);
    assert.match(found.of('clock').message, /s behind this machine/);
  });

  it('names an index that is not there, and one that is not set up', async () => {
    const absent = await examine({ index: engine.index() });
    assert.deepEqual([absent.code, absent.faults], [1, ['index fail']]);
    const plain = engine.index();
    await engine.call('PUT', `/${plain}`, {});
    const found = await examine({ index: plain });
    assert.deepEqual([found.code, found.faults], [1, ['mapping fail']]);
    assert.match(found.of('mapping').message, /not set up/);
    assert.match(
      found.of('mapping').remedy ?? '',
      new RegExp(`mapping apply --to ${engine.url} --index ${plain} `),
    );
  });

  it('names a block of settings that cannot be read, and a field that is not there', async () => {
    const broken = engine.index();
    await engine.call('PUT', `/${broken}`, { mappings: { _meta: { twinrank: { version: 9 } } } });
    const unreadable = await examine({ index: broken });
    assert.deepEqual(unreadable.faults, ['mapping fail']);
    assert.match(unreadable.of('mapping').message, /version is 9/);
    const { [healthy]: whole } = (await engine.call('GET', `/${healthy}/_mapping`)) as Record<
      string,
      { mappings: { _meta: object } }
    >;
    const without = engine.index();
    await engine.call('PUT', `/${without}`, { mappings: { _meta: whole?.mappings._meta } });
    const found = await examine({ index: without });
    assert.deepEqual(found.faults, ['mapping fail']);
    assert.match(found.of('mapping').message, /no field "twinrank_vector"/);
    assert.match(found.of('mapping').remedy ?? '', /field-level security/);
  });

  it('names an index that is set up for another model', async () => {
    const index = engine.index();
    await stack.setUp(index, { fingerprint: '0123456789abcdef', model: 'another' });
    const found = await examine({ index });
    // It has no document yet, so nobody has written a title.
    assert.deepEqual([found.code, found.faults], [1, ['index-model fail', 'text-fields warn']]);
    assert.match(found.of('index-model').message, /another \(0123456789abcdef/);
    assert.match(found.of('index-model').remedy ?? '', /--force, then twinrank reindex/);
  });

  it('counts stale vectors: a warning for a few, a failure for most', async () => {
    const index = await filled(20);
    for (const id of ['d1', 'd2', 'd3']) {
      const { twinrank_vector } = JSON.parse((await documents.sourceOf(index, id)).toString()) as Record<
        string,
        string
      >;
      await documents.put(index, id, JSON.stringify({ title: 'changed', twinrank_vector }), 'refresh=true');
    }
    const few = await examine({ index });
    assert.deepEqual([few.code, few.faults], [0, ['vectors warn']]);
    assert.match(few.of('vectors').message, /^85\.0 % .*17 fresh, 3 stale \(the text has changed\)\.$/);
    assert.match(
      few.of('vectors').remedy ?? '',
      new RegExp(`twinrank reindex --to ${engine.url} --index ${index}`),
    );
    assert.deepEqual(few.of('vectors').data?.['unfit'], { stale: 3 });
    assert.equal((await examine({ index, strict: true })).code, 1);
    for (let n = 4; n < 20; n++) await documents.put(index, `d${n}`, `{"title":"without ${n}"}`);
    await documents.put(index, 'none', '{"other":1}', 'refresh=true');
    const most = await examine({ index });
    assert.deepEqual([most.code, most.faults], [1, ['vectors fail']]);
    assert.match(most.of('vectors').message, /16 missing.*; 1 have no text\.$/);
  });

  it('takes a sample, and says how sure it is', async () => {
    const found = await examine({ index: healthy, sample: '20' });
    assert.match(
      found.of('vectors').message,
      /95 % interval 83\.9 % to 100\.0 %\): 20 of 60 documents, taken at random/,
    );
  });

  it('warns of a window above what the engine gives, of a block, and of a text field that nobody writes', async () => {
    const index = await filled(3);
    await stack.setUp(index, { window: 500 });
    await engine.call('PUT', `/${index}/_settings`, {
      index: { max_result_window: 50, 'blocks.write': true },
    });
    const found = await examine({ index });
    assert.deepEqual([found.code, found.faults], [0, ['window warn', 'blocks warn']]);
    // No more is asked for than the index gives.
    assert.match(found.of('vectors').message, /all of its 3 documents, 3 fresh/);
    assert.match(found.of('search-time').message, /the window of 50 /);
    await engine.call('PUT', `/${index}/_settings`, { index: { 'blocks.write': null } });
    const other = engine.index();
    await stack.setUp(other, { textFields: ['titel'] });
    await documents.put(other, '1', '{"title":"a"}', 'refresh=true');
    const slip = await examine({ index: other });
    assert.deepEqual(slip.faults, ['text-fields warn', 'vectors warn']);
    assert.match(
      slip.of('vectors').message,
      /No document has a text in "titel"; looked at: all of its 1 document\./,
    );
  });

  it('warns of an index that keeps no _source, or leaves the vector out of it', async () => {
    const { [healthy]: whole } = (await engine.call('GET', `/${healthy}/_mapping`)) as Record<
      string,
      { mappings: object }
    >;
    for (const [source, message] of [
      [{ enabled: false }, /keeps no _source/],
      [{ excludes: ['twinrank_vector'] }, /a partial update will destroy the vector/],
      [{ excludes: ['title'] }, /reindex cannot read the text/],
    ] as const) {
      const index = engine.index();
      await engine.call('PUT', `/${index}`, { mappings: { ...whole?.mappings, _source: source } });
      const found = await examine({ index });
      assert.deepEqual(found.faults, ['source warn']);
      assert.match(found.of('source').message, message);
    }
  });

  it('warns of templates of both kinds that would make the next index without vectors', async () => {
    const prefix = engine.index('twinrank-series');
    const index = `${prefix}-000001`;
    const body = { index_patterns: [`${prefix}-*`] };
    const mappings = { properties: { title: { type: 'text' } } };
    try {
      await stack.setUp(index);
      await bulk(`${stack.sidecar}/${index}/_bulk?refresh=true`, '{"index":{}}\n{"title":"a title"}\n');
      assert.deepEqual((await examine({ index })).faults, []);
      await engine.call('PUT', `/_template/${prefix}-old`, { ...body, mappings });
      const old = await examine({ index });
      assert.deepEqual(old.faults, ['template warn']);
      assert.match(old.of('template').message, new RegExp(`made by "${prefix}-old", would have no vectors`));
      assert.match(old.of('template').remedy ?? '', /into a template of the newer kind/);
      await engine.call('PUT', `/_index_template/${prefix}-new`, {
        ...body,
        priority: 999,
        template: { mappings },
      });
      const newer = await examine({ index });
      assert.match(
        newer.of('template').remedy ?? '',
        new RegExp(`mapping apply .* --template ${prefix}-new --text title`),
      );
      const { [index]: whole } = (await engine.call('GET', `/${index}/_mapping`)) as Record<
        string,
        { mappings: object }
      >;
      await engine.call('PUT', `/_index_template/${prefix}-new`, {
        ...body,
        priority: 999,
        template: { mappings: whole?.mappings },
      });
      assert.equal((await examine({ index })).of('template').status, 'ok');
      const future = await examine({ index: `${prefix}-000002` });
      assert.deepEqual([future.code, future.faults], [0, ['index warn']]);
      assert.match(future.of('index').message, /no such index yet/);
    } finally {
      await rawRequest({ url: engine.url, method: 'DELETE', path: `/_index_template/${prefix}-new` });
      await rawRequest({ url: engine.url, method: 'DELETE', path: `/_template/${prefix}-old` });
      await rawRequest({ url: engine.url, method: 'DELETE', path: `/${index}` });
    }
  });

  it('names a bundle that cannot be used', async () => {
    const found = await examine({ index: healthy, model: '/nowhere' });
    assert.deepEqual([found.code, found.faults], [1, ['model fail']]);
    assert.equal(found.of('index-model').status, 'skipped');
  });

  it('names services that are down, each by itself', async () => {
    const found = await examine({
      index: healthy,
      proxy: NOWHERE,
      'proxy-admin': NOWHERE,
      sidecar: NOWHERE,
      'sidecar-admin': NOWHERE,
    });
    assert.equal(found.code, 1);
    assert.deepEqual(found.faults, ['proxy fail', 'proxy-admin fail', 'sidecar fail', 'sidecar-admin fail']);
    assert.equal(found.of('proxy-search').status, 'skipped');
  });

  it('tells a proxy from an engine, and says why searches are not reranked', async () => {
    const mistaken = await examine({ index: healthy, proxy: engine.url });
    assert.deepEqual([mistaken.code, mistaken.faults], [1, ['proxy-search fail']]);
    assert.match(mistaken.of('proxy-search').message, /this is not the rerank proxy/);
    const slow = await stack.moreProxy(
      { budgetMs: 300 },
      {
        ...stack.encoder,
        encode: () => new Promise(() => undefined),
      },
    );
    const found = await examine({ index: healthy, proxy: slow });
    assert.deepEqual(found.faults, ['proxy-search fail']);
    assert.match(
      found.of('proxy-search').message,
      /^0 of 18 searches were reranked, \d+ were left as they are \(encode_timeout\)/,
    );
    assert.match(found.of('proxy-search').remedy ?? '', /raise its --budget/);
  });

  it('names a service that has another cluster behind it, and an admin port that is none', async () => {
    const other = await relay((path, body) =>
      path === '/' ? body.replace(/"cluster_uuid" ?: ?"[^"]*"/, '"cluster_uuid":"x"') : body,
    );
    const found = await examine({ index: healthy, sidecar: other, 'sidecar-admin': engine.url });
    assert.deepEqual(found.faults, ['sidecar fail', 'sidecar-admin fail']);
    assert.match(found.of('sidecar').message, /another cluster/);
  });

  it('is readable without a terminal, in one line a finding and one for what to do', async () => {
    const flags = { upstream: engine.url, index: healthy, proxy: NOWHERE, 'skip-model': true };
    const { code, stdout } = await runCommand(doctorCommand(catalog), flags);
    assert.equal(code, 1);
    assert.ok(!stdout.includes('\u001b'));
    assert.match(stdout, /^Indices$/m);
    assert.match(stdout, new RegExp(`^ {2}ok {4}vectors {8}${healthy}: 100\\.0 %`, 'm'));
    assert.match(
      stdout,
      /^ {2}FAIL {2}proxy {10}The proxy is down: .*\n {8} {13} {2}-> Start it \(twinrank rerank\)/m,
    );
    assert.match(stdout, /\n\d+ ok, \d+ warnings?, 1 failed, \d+ not checked\.\n$/);
  });
});
