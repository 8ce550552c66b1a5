/** The proxy over HTTP, between an encoder and an engine that fail as no real ones can be told to. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../../../src/errors.js';
import type { Encoder } from '../../../src/model/encoder.js';
import { createReranker } from '../../../src/rerank/app.js';
import { DEFAULT_RERANK_OPTIONS, type RerankOptions } from '../../../src/rerank/context.js';
import type { SettingsReader } from '../../../src/search-engine/index-settings.js';
import { encodePayload, hashText } from '../../../src/search-engine/vector-payload.js';
import { eventually, httpUpstream, serviceOver, Wire } from '../http/wire.js';
import { head, settings, SETTINGS } from './one-index.js';

const encoderThat = (encode: Encoder['encode']): Encoder => ({
  dimensions: 2,
  fingerprint: SETTINGS.fingerprint,
  encode,
});
const working = encoderThat((texts) => Promise.resolve(texts.map(() => Float32Array.of(0, 0))));

/** Hit number n; the higher the number, the better it is for us. */
const hit = (n: number, vector = Float32Array.of(n, 0)): string => {
  const payload = encodePayload({
    codec: 'f32',
    fingerprint: SETTINGS.fingerprint,
    textHash: hashText(`t${n}`),
    vector,
  });
  return `{"_index":"i","_id":"${n}","_score":${10 - n}.0,"_source":{"vec":"${payload}","title":"t${n}", "n": 1.0}}`;
};
const answer = (hits: readonly string[]): string =>
  `{"took":1,"hits":{"total":{"value":9},"max_score":10.0,"hits":[${hits.join(',')}]}}`;

interface Seen {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
}
type Engine = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void;

/** Answers from 9 hits as the request pages them. */
const engine: Engine = ({ line, body }, response) => {
  const wishes = JSON.parse(body === '' ? '{}' : body) as { from?: number; size?: number };
  const parameters = new URL(`http://x${line.split(' ')[1] ?? ''}`).searchParams;
  const from = Number(parameters.get('from') ?? wishes.from ?? 0);
  const size = Number(parameters.get('size') ?? wishes.size ?? 10);
  const hits = Array.from({ length: 9 }, (_, n) => hit(n)).slice(from, from + size);
  response.setHeader('content-type', 'application/json').end(answer(hits));
};

interface Proxy {
  readonly seen: Seen[];
  readonly reasons: string[];
  readonly errors: string[];
  search(target?: string, body?: string, headers?: Record<string, string>): Promise<Response>;
  readonly url: URL;
}

async function proxyWith(parts: {
  readonly encoder?: Encoder;
  readonly engine?: Engine;
  readonly settings?: SettingsReader;
  readonly options?: Partial<RerankOptions>;
}): Promise<Proxy> {
  const seen: Seen[] = [];
  const reasons: string[] = [];
  const errors: string[] = [];
  const upstream = await httpUpstream((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const one = { line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.rawHeaders, body };
      seen.push(one);
      (parts.engine ?? engine)(one, response, request);
    });
  });
  const handler = createReranker(
    {
      encoder: parts.encoder ?? working,
      head,
      settings: parts.settings ?? settings,
      onFailOpen: (reason, { message }) => {
        reasons.push(reason);
        errors.push(message);
      },
    },
    { ...DEFAULT_RERANK_OPTIONS, budgetMs: 5000, maxEncodedNow: 0, ...parts.options },
  );
  const { url } = await serviceOver(upstream, handler);
  const search: Proxy['search'] = (target = '/i/_search', body = QUERY, headers = {}) =>
    fetch(new URL(target, url), {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  return { seen, reasons, errors, search, url };
}

const QUERY = '{ "from": 0, "size": 3, "query": {"match": {"title": "x"}}, "n": 1.0 }';
const idsOf = (text: string): string =>
  [...text.matchAll(/"_id":"(\d+)"/g)].map((match) => match[1]).join('');
const outcome = (reply: Response): string => reply.headers.get('x-twinrank') ?? '';

describe('a search through the proxy', () => {
  it('is reranked within the window, page by page, without the vectors', async () => {
    const proxy = await proxyWith({});
    const pages: string[] = [];
    for (const from of [0, 2, 4, 6, 8]) {
      const reply = await proxy.search(`/i/_search?from=${from}&size=2`);
      pages.push(idsOf(await reply.text()));
      assert.match(
        outcome(reply),
        from < 5 ? /^applied; window=5; scored=5; encode=/ : /^skipped; reason=beyond_window$/,
      );
    }
    assert.equal(pages.join(' '), '43 21 05 67 8');
    assert.equal(
      proxy.seen[0]?.body,
      '{ "from": 0, "size": 5, "query": {"match": {"title": "x"}}, "n": 1.0 }',
    );
    const text = await (await proxy.search()).text();
    assert.ok(!text.includes('vec'));
    assert.match(text, /"_id":"4","_score":0\.98\d+,"_source":\{"title":"t4", "n": 1\.0\}/);
    assert.match(text, /"max_score":0\.98/);
  });

  it('whose hits have no usable vector keeps the engine’s order', async () => {
    const proxy = await proxyWith({
      engine: (_seen, response) =>
        response.end(answer([1, 0, 2].map((n) => hit(n, Float32Array.of(NaN, 0))))),
    });
    const reply = await proxy.search();
    assert.equal(outcome(reply), 'skipped; reason=no_vectors');
    assert.equal(idsOf(await reply.text()), '102');
  });

  it('of an index that is set up for other dimensions keeps the engine’s order, and the log says what to do', async () => {
    const proxy = await proxyWith({ encoder: { ...working, dimensions: 3 } });
    const reply = await proxy.search();
    assert.equal(outcome(reply), 'skipped; reason=other_model');
    assert.equal(idsOf(await reply.text()), '012');
    assert.deepEqual(proxy.reasons, ['other_model']);
    assert.match(
      proxy.errors[0] ?? '',
      /"i" is set up for model .*2 dimensions.*3 dimensions.*--model FOLDER.*mapping apply with --force/,
    );
  });

  it('with one bad hit ranks the others and puts it behind them', async () => {
    const hits = [
      hit(0),
      hit(7, Float32Array.of(Infinity, 0)),
      '{"_index":"other","_id":"8","_score":1.0,"_source":{}}',
      hit(3),
    ];
    const proxy = await proxyWith({ engine: (_seen, response) => response.end(answer(hits)) });
    const reply = await proxy.search('/i/_search?size=9');
    assert.match(outcome(reply), /scored=2; not_finite=1; not_configured=1;/);
    assert.equal(idsOf(await reply.text()), '3078');
  });

  it('that finds nothing is answered as such', async () => {
    const none = '{"took":1,"hits":{"total":{"value":0},"max_score":null,"hits":[]}}';
    const proxy = await proxyWith({ engine: (_seen, response) => response.end(none) });
    const reply = await proxy.search();
    assert.equal((await reply.text()).replace(/"took":\d+/, '"took":1'), none);
    assert.match(outcome(reply), /^applied; window=5; scored=0/);
  });
});

describe('an encoder', () => {
  const ENCODERS: Readonly<Record<string, readonly [reason: string, encoder: Encoder]>> = {
    'that fails': ['encode_failed', encoderThat(() => Promise.reject(new TwinrankError('encode_failed', 'x')))],
    'that fails with something unknown': ['encode_failed', encoderThat(() => Promise.reject(new Error('x')))],
    'that throws': ['encode_failed', encoderThat(() => { throw new Error('x'); })],
    'that is overloaded': ['overloaded', encoderThat(() => Promise.reject(new TwinrankError('overloaded', 'x')))],
    'that gives nothing': ['encode_failed', encoderThat(() => Promise.resolve([]))],
    'that hangs and ignores its signal': ['encode_timeout', encoderThat(() => new Promise(() => undefined))],
    'that is late': ['encode_timeout', encoderThat(async (_texts, { signal }) => sleep(60_000, [], { signal }))],
    'that gives a vector of other dimensions': ['internal_error', encoderThat(() => Promise.resolve([Float32Array.of(1)]))],
  }; // prettier-ignore
  for (const [what, [reason, encoder]] of Object.entries(ENCODERS))
    it(`${what} leaves the engine’s page, and the reason is told`, async () => {
      const proxy = await proxyWith({
        encoder,
        options: reason === 'encode_timeout' ? { budgetMs: 30 } : {},
      });
      const reply = await proxy.search();
      assert.equal(reply.status, 200);
      assert.equal(outcome(reply), `skipped; reason=${reason}`);
      const text = await reply.text();
      assert.equal(idsOf(text), '012');
      assert.match(text, /"max_score":10\.0/);
      assert.deepEqual(proxy.reasons, [reason]);
    });

  it('is told when its work is of no use any more', async () => {
    let cancelled = 0;
    const waiting = encoderThat((_texts, { signal }) => {
      signal?.addEventListener('abort', () => cancelled++);
      return new Promise(() => undefined);
    });
    const failing = await proxyWith({
      encoder: waiting,
      engine: (_seen, response) => response.writeHead(404).end('{}'),
    });
    await failing.search();
    assert.equal(cancelled, 1);
    let arrived = false;
    const hanging = await proxyWith({ encoder: waiting, engine: () => (arrived = true) });
    const wire = new Wire(Number(hanging.url.port)).write(
      `POST /i/_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${QUERY.length}\r\n\r\n${QUERY}`,
    );
    await eventually(() => arrived, 'the search');
    wire.end();
    await eventually(() => cancelled === 2, 'the cancellation');
  });
});

describe('an engine', () => {
  /** What must have been sent the second time: the caller's own request. */
  const assertReplayed = (proxy: Proxy): void => {
    const [first, second] = proxy.seen;
    assert.equal(proxy.seen.length, 2);
    assert.match(first?.body ?? '', /"size": 5/);
    assert.equal(second?.line, 'POST /i/_search?pretty&from=1&q=x');
    assert.equal(second.body, QUERY);
    assert.equal(
      second.headers[second.headers.findIndex((name) => name.toLowerCase() === 'x-own') + 1],
      'kept',
    );
  };
  const own = (proxy: Proxy): Promise<Response> =>
    proxy.search('/i/_search?pretty&from=1&q=x', QUERY, { 'X-Own': 'kept' });

  it('that refuses is asked again in the caller’s words, and its own words are the answer', async () => {
    for (const status of [400, 401, 403, 404, 429, 500, 503]) {
      const proxy = await proxyWith({
        engine: (seen, response) => response.writeHead(status).end(`{"error":"about ${seen.line}"}`),
      });
      const reply = await own(proxy);
      assert.equal(reply.status, status);
      assert.equal(await reply.text(), '{"error":"about POST /i/_search?pretty&from=1&q=x"}');
      assert.equal(outcome(reply), 'skipped; reason=engine_error');
      assertReplayed(proxy);
    }
  });

  it('whose queues are full is not asked twice', async () => {
    const full = '{"error":{"type":"rejected_execution_exception","reason":"full"},"status":429}';
    const proxy = await proxyWith({
      engine: (_seen, response) => response.writeHead(429, { 'retry-after': '7' }).end(full),
    });
    const reply = await own(proxy);
    assert.equal(reply.status, 429);
    assert.equal(reply.headers.get('retry-after'), '7');
    assert.equal(await reply.text(), full);
    assert.equal(outcome(reply), 'skipped; reason=engine_error');
    assert.equal(proxy.seen.length, 1);
  });

  it('that has a pipeline of its own for the query context gets both as they came', async () => {
    const body = '{"query":{"match":{"title":"x"}},"ext":{"rerank":{"query_context":{"query_text":"x"}}}}';
    for (const [path, sent] of [
      ['/i/_search?search_pipeline=p', body],
      ['/i/_search', body.replace('{', '{"search_pipeline":"p",')],
    ] as const) {
      const proxy = await proxyWith({});
      const reply = await proxy.search(path, sent, {});
      assert.equal(outcome(reply), 'skipped; reason=search_pipeline');
      assert.deepEqual(
        proxy.seen.map((seen) => seen.body),
        [sent],
      );
    }
  });

  it('that answers for a part of its shards, or too late, is asked again', async () => {
    for (const sign of ['"timed_out":true', '"timed_out":false,"_shards":{"total":2,"failed":1}']) {
      const partial = `{"took":1,${sign},"hits":{"max_score":1.0,"hits":[${hit(0)}]}}`;
      const proxy = await proxyWith({ engine: (_seen, response) => response.end(partial) });
      const reply = await own(proxy);
      assert.equal(await reply.text(), partial);
      assert.equal(outcome(reply), 'skipped; reason=partial_answer');
      assertReplayed(proxy);
    }
  });

  it('whose answer cannot be read is asked again, and that answer streams through', async () => {
    for (const broken of [
      '',
      'not json',
      '{"hits":',
      '{"hits":{"hits":[{"_index":"i"}',
      '{"hits":{"hits":[{"_id":"1"}]}}',
      '{"a\\xb":1,"hits":{"hits":[{"\\x_index":1}]}}',
      '[]',
    ]) {
      const proxy = await proxyWith({ engine: (_seen, response) => response.end(broken) });
      const reply = await own(proxy);
      assert.equal(reply.status, 200);
      assert.equal(await reply.text(), broken);
      assert.equal(outcome(reply), 'skipped; reason=unreadable_answer');
      assert.deepEqual(proxy.reasons, ['unreadable_answer']);
      assertReplayed(proxy);
    }
  });

  it('whose answer is too large for memory is asked again and streamed', async () => {
    const large = `{"hits":{"hits":[]},"x":"${'x'.repeat(3_000_000)}"}`;
    const proxy = await proxyWith({
      engine: (_seen, response) => response.end(large),
      options: { maxAnswerBytes: 1_000_000 },
    });
    const reply = await own(proxy);
    assert.equal((await reply.text()).length, large.length);
    assert.equal(outcome(reply), 'skipped; reason=answer_too_large');
    assertReplayed(proxy);
  });

  it('that resets the connection is a 502 in its shape, and the next search works', async () => {
    let resets = 1;
    const proxy = await proxyWith({
      engine: (seen, response, request) => {
        if (resets-- > 0) request.socket.resetAndDestroy();
        else engine(seen, response, request);
      },
    });
    const reply = await proxy.search();
    assert.equal(reply.status, 502);
    assert.match(await reply.text(), /twinrank_upstream_unreachable_exception/);
    assert.match(outcome(await proxy.search()), /^applied/);
  });
});

describe('a search that is not planned', () => {
  it('passes through with the reason, byte for byte', async () => {
    const deep = `{"_source":${'['.repeat(100_000)}${']'.repeat(100_000)},"query":{"match":{"a":"x"}}}`;
    for (const [target, body, headers, reason] of [
      ['/i/_search', '{"size":0}', {}, 'no_query_text'],
      ['/i/_search', '{ not json', {}, 'unreadable_body'],
      ['/i/_search?scroll=1m', QUERY, {}, 'scroll'],
      ['/i/_search', 'cbor', { 'content-type': 'application/cbor' }, 'format'],
      ['/i/_search', QUERY, { 'content-encoding': 'br' }, 'content_encoding'],
      ['/i/_search', QUERY, { 'content-encoding': 'gzip' }, 'unreadable_body'],
      ['/i/_search', QUERY, { accept: 'application/yaml' }, 'format'],
      ['/i/_search', `{${' '.repeat(2000)}${QUERY.slice(1)}`, {}, 'body_too_large'],
      ['/i/_count', QUERY, {}, ''],
      ['/i/_search/template?size=3', QUERY, {}, 'template_parameters'],
      ['/i/_msearch', QUERY, {}, 'unreadable_body'],
      ['/i/_msearch?filter_path=took', QUERY, {}, 'filter_path'],
    ] as const) {
      const proxy = await proxyWith({
        engine: (_seen, response) => response.end('as it is'),
        options: { maxBodyBytes: 1000 },
      });
      const reply = await proxy.search(target, body, headers);
      assert.equal(await reply.text(), 'as it is');
      assert.equal(outcome(reply), reason === '' ? '' : `skipped; reason=${reason}`);
      assert.deepEqual(
        proxy.seen.map((one) => one.body),
        [body],
      );
    }
    const proxy = await proxyWith({});
    assert.equal((await proxy.search('/i/_search', deep)).status, 200);
  });

  it('because settings cannot be had says so', async () => {
    const proxy = await proxyWith({
      settings: { ...settings, forSearch: () => Promise.reject(new TwinrankError('upstream_timeout', 'x')) },
    });
    const reply = await proxy.search();
    assert.equal(outcome(reply), 'skipped; reason=settings_unavailable');
    assert.equal(idsOf(await reply.text()), '012');
    assert.deepEqual(proxy.reasons, ['settings_unavailable']);
  });
});
