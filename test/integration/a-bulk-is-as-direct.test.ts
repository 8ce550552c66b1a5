/** Bulk bodies of many kinds, the same sent direct and through the sidecar: the same results in the same places. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Encoder } from '../../src/model/encoder.js';
import { rawRequest, type RawResponse } from './support/raw-request.js';
import { stackFixture } from './support/stack.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('a bulk is as direct', { concurrency: 1 }, () => {
  const { engine, stack } = stackFixture();
  /** In small parts, so that a short body becomes many requests; its vectors are of no model, and quick. */
  let inParts: string;
  let quick: Encoder;
  before(async () => {
    quick = {
      dimensions: stack.encoder.dimensions,
      fingerprint: stack.encoder.fingerprint,
      encode: (texts) =>
        Promise.resolve(
          texts.map((text) => new Float32Array(stack.encoder.dimensions).fill(text.length / 1000)),
        ),
    };
    inParts = await stack.moreSidecar({ maxPartBytes: 4_000 }, quick);
  });

  const bulk = (
    url: string,
    path: string,
    body: string | Buffer,
    headers: Record<string, string> = NDJSON,
  ): Promise<RawResponse> => rawRequest({ url, method: 'POST', path, headers, body, timeoutMs: 120_000 });

  /** Two indices that are alike, one for each way. */
  async function pair(): Promise<[string, string]> {
    const names: [string, string] = [engine.index(), engine.index()];
    for (const name of names) {
      await engine.call('PUT', `/${name}`, { settings: { number_of_shards: 1, number_of_replicas: 0 } });
      await stack.setUp(name);
    }
    return names;
  }

  /** What may differ: times, names of the indices, generated ids, columns of a parser that got a longer line. */
  function comparable(answer: RawResponse, index: string): unknown {
    const body = answer.body
      .toString()
      .replaceAll(index, 'INDEX')
      .replace(/"_id":"[\w-]{20}"/g, '"_id":"generated"')
      .replace(/"index_uuid":"[^"]*"/g, '"index_uuid":""')
      .replace(/column: \d+/g, 'column')
      .replace(/preview of field's value: '[^']*'/gi, 'preview');
    const parsed = JSON.parse(body) as { took?: number; ingest_took?: number };
    if (parsed.took !== undefined) parsed.took = 0;
    if (parsed.ingest_took !== undefined) parsed.ingest_took = 0;
    return { status: answer.status, parsed };
  }

  /** Documents without what is ours, by id. */
  async function documents(index: string): Promise<unknown> {
    await engine.call('POST', `/${index}/_refresh`);
    const found = (await engine
      .call('GET', `/${index}/_search?size=10000&seq_no_primary_term=true&version=true`, {
        _source: { excludes: ['twinrank_vector'] },
        sort: [{ _seq_no: 'asc' }],
      })
      .catch(() =>
        engine.call('GET', `/${index}/_search?size=10000&version=true`, {
          _source: { excludes: ['twinrank_vector'] },
        }),
      )) as { hits: { hits: { _id: string; _version: number; _source: unknown; _routing?: string }[] } };
    return found.hits.hits
      .map(({ _id, _version, _source, _routing }) => ({
        _id: _id.length === 20 ? 'generated' : _id,
        _version,
        _source,
        _routing,
      }))
      .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  }

  const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

  it('with every kind of action and failure, in one part and in many', async () => {
    const lines = (index: string): string =>
      Array.from({ length: 40 }, (_, i) =>
        [
          line({ index: { _index: index, _id: `a${i}` } }), line({ title: `title ${i}`, n: i }),
          line({ create: { _index: index, _id: `a${i}` } }), line({ title: 'again' }),
          line({ create: { _index: index, _id: `b${i}`, routing: 'r' } }), line({ title: ['x', 'y'] }),
          line({ update: { _index: index, _id: `a${i}` } }), line({ doc: { n: -i } }),
          line({ update: { _index: index, _id: `none${i}` } }), line({ doc: { n: 1 } }),
          line({ delete: { _index: index, _id: `a${i - 1}` } }),
          line({ index: { _index: index, _id: `c${i}`, if_seq_no: 99_999, if_primary_term: 1 } }), line({ title: 'guarded' }),
          line({ index: { _index: index, _id: `d${i}` } }), line({ title: 'two', n: 'no number' }),
          line({ index: { _index: index, _id: `e${i}` } }), '[1,2]\n',
          line({ index: { _index: index, _id: `e${i}` } }), 'nonsense\n',
          line({ index: { _index: index, _id: `f${i}` } }), '{"title":"one","title":"two"}\n',
          line({ index: { _index: index, require_alias: true } }), line({ title: 'not an alias' }),
          line({ index: { _index: index, _id: `g${i}`, version: 5, version_type: 'external' } }), line({ title: 'v' }),
          `{ "index" : {"_index":"${index}","_id":"h${i}"} } \r\n`, `{"title":"carriage return"}\r\n`,
          '\n',
          line({ index: { _index: index } }), line({ title: 'generated id' }),
          line({ index: { _index: 'BAD NAME', _id: '1' } }), line({ title: 'x' }),
        ].join(''),
      ).join(''); // prettier-ignore
    for (const through of [stack.sidecar, inParts]) {
      const [a, b] = await pair();
      const direct = await bulk(engine.url, '/_bulk', lines(a));
      const answer = await bulk(through, '/_bulk', lines(b));
      assert.deepEqual(comparable(answer, b), comparable(direct, a));
      assert.deepEqual(await documents(b), await documents(a));
    }
  });

  it('with a pipeline and an alias', async () => {
    const pipeline = engine.index('twinrank-pipeline');
    await engine.call('PUT', `/_ingest/pipeline/${pipeline}`, {
      processors: [
        { set: { field: 'stamped', value: 'yes' } },
        { fail: { if: 'ctx.n == 3', message: 'three' } },
      ],
    });
    try {
      const [a, b] = await pair();
      const names = [`${a}-alias`, `${b}-alias`] as const;
      for (const [index, alias] of [[a, names[0]], [b, names[1]]] as const) {
        await engine.call('POST', '/_aliases', { actions: [{ add: { index, alias } }] });
      } // prettier-ignore
      const lines = (alias: string): string =>
        Array.from(
          { length: 30 },
          (_, n) =>
            line({ index: { _index: alias, _id: String(n), require_alias: true } }) + line({ title: `t${n}`, n: n % 5, w: 'k' }),
        ).join(''); // prettier-ignore
      const direct = await bulk(engine.url, `/_bulk?pipeline=${pipeline}&refresh=true`, lines(names[0]));
      const answer = await bulk(inParts, `/_bulk?pipeline=${pipeline}&refresh=true`, lines(names[1]));
      assert.deepEqual(comparable(answer, b), comparable(direct, a));
      const found = (await documents(b)) as { _source: { stamped?: string } }[];
      assert.deepEqual(found, await documents(a));
      assert.equal(found.filter(({ _source }) => _source.stamped === 'yes').length, 24);
    } finally {
      await engine.call('DELETE', `/_ingest/pipeline/${pipeline}`);
    }
  });

  it('compressed, chunked, made to be read or filtered', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => line({ index: { _id: String(i) } }) + line({ title: `t${i}`, n: i === 7 ? 'x' : i })).join(''); // prettier-ignore
    for (const [path, headers, body] of [
      ['?pretty', NDJSON, lines],
      ['', { ...NDJSON, 'content-encoding': 'gzip', 'accept-encoding': 'identity' }, gzipSync(lines)],
      ['?filter_path=items.*.status', NDJSON, lines],
      ['?filter_path=errors,items.*.error', NDJSON, lines],
      ['?filter_path=took', NDJSON, lines],
      ['?filter_path=-items', NDJSON, lines],
      ['?error_trace=false&timeout=10s', NDJSON, lines],
    ] as const) {
      const [a, b] = await pair();
      for (const index of [a, b])
        await engine.call('PUT', `/${index}/_mapping`, { properties: { n: { type: 'long' } } });
      const direct = await bulk(engine.url, `/${a}/_bulk${path}`, body, headers);
      const answer = await bulk(inParts, `/${b}/_bulk${path}`, body, headers);
      assert.deepEqual(comparable(answer, b), comparable(direct, a), path);
      const unspaced = (answer: RawResponse, index: string): string =>
        answer.body.toString().replaceAll(index, '').replace(/\d+/g, '0');
      assert.equal(unspaced(answer, b), unspaced(direct, a), path);
    }
    const [index] = await pair();
    const { hostname, port } = new URL(inParts);
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest({
        hostname,
        port,
        method: 'POST',
        path: `/${index}/_bulk`,
        headers: NDJSON,
      });
      request.on('error', reject).on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      for (let at = 0; at < lines.length; at += 97) request.write(lines.slice(at, at + 97));
      request.end();
    });
    assert.equal(status, 200);
    assert.equal(((await documents(index)) as unknown[]).length, 29);
  });

  it('into a data stream, and an index that an older kind of template makes', async () => {
    const name = engine.index('twinrank-legacy');
    const stream = `${name}-stream`;
    const wanted = await stack.setUp(engine.index());
    const meta = { twinrank: { version: 1, text_fields: ['title'], vector_field: wanted.vectorField, codec: 'f16', dimensions: wanted.dimensions, model: wanted.model, fingerprint: wanted.fingerprint, window: 100 } }; // prettier-ignore
    const mappings = {
      _meta: meta,
      properties: { [wanted.vectorField]: { type: 'binary', doc_values: true } },
    };
    await engine.call('PUT', `/_template/${name}-low`, { index_patterns: [`${name}*`], order: 1, mappings: { _meta: { twinrank: { version: 1, broken: true } } } }); // prettier-ignore
    await engine.call('PUT', `/_template/${name}-high`, { index_patterns: [`x-${name}*`, `${name}*`], order: 7, mappings }); // prettier-ignore
    await engine.call('PUT', `/_index_template/${stream}`, { index_patterns: [stream], data_stream: {}, template: { mappings }, priority: 500 }); // prettier-ignore
    try {
      const legacy = await bulk(stack.sidecar, '/_bulk', line({ index: { _index: name, _id: '1' } }) + line({ title: 'one' })); // prettier-ignore
      assert.equal(legacy.headers['x-twinrank'], 'ingested; vector=1', legacy.body.toString());
      const streamed = await bulk(inParts, `/${stream}/_bulk`, Array.from({ length: 20 }, (_, i) => line({ create: {} }) + line({ '@timestamp': '2026-01-01', title: `t${i}` })).join('')); // prettier-ignore
      assert.equal(streamed.headers['x-twinrank'], 'ingested; vector=20');
      assert.equal((JSON.parse(streamed.body.toString()) as { errors: boolean }).errors, false);
    } finally {
      await engine.call('DELETE', `/_data_stream/${stream}`);
      await engine.call('DELETE', `/_index_template/${stream}`);
      for (const end of ['low', 'high']) await engine.call('DELETE', `/_template/${name}-${end}`);
    }
  });

  it('of 30 MB into a configured and another index', async () => {
    const [a, b] = await pair();
    const plain: [string, string] = [engine.index(), engine.index()];
    const filler = 'words that are not encoded '.repeat(60);
    const body = (index: string, other: string): Buffer => {
      const lines: string[] = [];
      for (let i = 0; i < 18_000; i++) {
        const target = i % 3 === 0 ? other : index;
        lines.push(
          line({ [i % 50 === 7 ? 'create' : 'index']: { _index: target, _id: String(i % 17_000) } }),
          line({ title: `title ${i % 100}`, n: i % 997 === 5 ? 'no number' : i, filler }),
        );
      }
      return Buffer.from(lines.join(''));
    };
    for (const index of [a, b, ...plain])
      await engine.call('PUT', `/${index}${index === a || index === b ? '/_mapping' : ''}`, index === a || index === b ? { properties: { n: { type: 'long' }, filler: { enabled: false, type: 'object' } } } : { mappings: { properties: { n: { type: 'long' }, filler: { enabled: false, type: 'object' } } } }); // prettier-ignore
    const sent = body(b, plain[1]);
    assert.ok(sent.length > 30_000_000, String(sent.length));
    const direct = await bulk(engine.url, '/_bulk', body(a, plain[0]));
    const answer = await bulk(await stack.moreSidecar({}, quick), '/_bulk', sent);
    const rename = (answer: RawResponse, index: string, other: string): unknown =>
      comparable({ ...answer, body: Buffer.from(answer.body.toString().replaceAll(other, 'OTHER')) }, index);
    assert.deepEqual(rename(answer, b, plain[1]), rename(direct, a, plain[0]));
    const counts = await Promise.all(
      [a, b, ...plain].map(async (index) => {
        await engine.call('POST', `/${index}/_refresh`);
        return ((await engine.call('GET', `/${index}/_count`)) as { count: number }).count;
      }),
    );
    assert.equal(counts[0], counts[1]);
    assert.equal(counts[2], counts[3]);
  });

  it('into an index that may not be written, or has no shard: the engine says so without a wait', async () => {
    const [blocked] = await pair();
    await engine.call('PUT', `/${blocked}/_settings`, { 'index.blocks.read_only_allow_delete': true });
    const red = engine.index();
    await engine.call('PUT', `/${red}?wait_for_active_shards=0`, {
      settings: { number_of_replicas: 0, 'index.routing.allocation.require._name': 'nobody' },
    });
    await stack.setUp(red);
    for (const [index, query] of [
      [blocked, ''],
      [red, '?timeout=1s'],
    ] as const) {
      for (const [method, path, body] of [
        ['POST', `/_bulk${query}`, line({ index: { _index: index, _id: '1' } }) + line({ title: 'x' })],
        ['PUT', `/${index}/_doc/1${query}`, '{"title":"x"}'],
      ] as const) {
        const ask = (url: string): Promise<RawResponse> =>
          rawRequest({ url, method, path, headers: NDJSON, body });
        const plain = (answer: RawResponse): unknown => [
          answer.status,
          answer.body
            .toString()
            .replace(/"took":\d+/, '')
            .replace(/source\[[^\]]*\]|and a refresh|\[\d+b?\]|\[[^\]]*\} \]|bytes\[\d+/g, '')
            .replace(/request: \[[^]*?\]"/g, 'request"'),
        ];
        const direct = await ask(engine.url);
        const answer = await ask(stack.sidecar);
        assert.deepEqual(plain(answer), plain(direct));
        assert.match(direct.body.toString(), /cluster_block_exception|unavailable_shards_exception/);
      }
    }
  });
});
