/** Small inputs that would become large ones, or long work: compressed bodies, deep and broad JSON, hostile patterns. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { plainReply } from '../../../src/ingest/plain-reply.js';
import { DEFAULT_RERANK_OPTIONS } from '../../../src/rerank/context.js';
import { queryContextText } from '../../../src/rerank/query-context.js';
import { settingsFromMeta } from '../../../src/search-engine/mapping-meta.js';
import { faultyEngine, postBulk, resultsOf, sidecarOver, type BulkAnswer } from '../ingest/faulty-engine.js';
import { ONE_HIT, proxyOver, search } from './proxy.js';

const MB = 1024 * 1024;
const DIST = join(import.meta.dirname, '../../..');
/** Generous: what is linear takes well under a second, what is not would take hours. */
const CHILD_LIMIT_MS = 60_000;

describe('Hostile query strings', () => {
  it('are read in linear time', () => {
    const script = `
      const { plainQueryString, plainSimpleQueryString } = await import(${JSON.stringify(join(DIST, 'src/rerank/query-string-text.js'))});
      const { queryText } = await import(${JSON.stringify(join(DIST, 'src/rerank/query-text.js'))});
      const N = 99_999;
      const units = ['a', 'a.', 'a:', '~', '^1', '~1.', '"', '" ', '(', '\\\\\\\\', '\\\\', '- ', '! ', 'NOT ', '*', ' ', '+(', '^ ', 'a\\\\:', '://', '[ ', '1'];
      const ends = ['', '!', '"', ':', '~x', ' x'];
      for (const unit of units) for (const end of ends) {
        const text = unit.repeat(Math.floor(N / unit.length)) + end;
        plainQueryString(text);
        plainSimpleQueryString(text);
        plainQueryString('"' + text);
        plainQueryString('~' + text);
      }
      queryText({ query_string: { query: 'a:'.repeat(2_000_000) } });
      let deep = { match: { t: 'x' } };
      for (let i = 0; i < 5_000; i++) deep = { bool: { must: [deep], should: { match: { t: 'y' } } } };
      queryText(deep);
      console.log('read');`;
    const { stdout, stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      timeout: CHILD_LIMIT_MS,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    });
    assert.equal(signal, null, 'it took too long and was killed');
    assert.equal(stdout, 'read\n', stderr);
  });

  it('that are paths are refused by their length', () => {
    const body = { a: { a: 'text' } };
    const at = (path: string): string | undefined =>
      queryContextText({ query_context: { query_text_path: path } }, body);
    assert.equal(at('a.a'), 'text');
    assert.throws(() => at('a.'.repeat(1_000_000)), { code: 'bad_request' });
  });
});

describe('Compressed bombs', () => {
  const bomb = gzipSync(Buffer.alloc(200 * MB, 0x20));

  it('in a search are left to the engine unread', async () => {
    const proxy = await proxyOver();
    const reply = await search(proxy, new Uint8Array(bomb), { 'content-encoding': 'gzip' });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('x-twinrank'), 'skipped; reason=body_too_large');
    assert.ok(DEFAULT_RERANK_OPTIONS.maxBodyBytes <= 10 * MB);
  });

  it('in a bulk are refused at the length of a line, and the sidecar goes on', async () => {
    const engine = await faultyEngine();
    const sidecar = await sidecarOver(engine.url);
    const reply = await postBulk(sidecar, new Uint8Array(bomb), '/_bulk', { 'content-encoding': 'gzip' });
    assert.ok(reply.status === 400 || reply.status === 413, String(reply.status));
    const next = await postBulk(sidecar, '{"index":{"_index":"i","_id":"d0"}}\n{"title":"a"}\n');
    assert.deepEqual(resultsOf((await next.json()) as BulkAnswer), ['d0 201']);
  });

  it('in an answer of the engine stay as they are', () => {
    const headers = ['Content-Encoding', 'gzip'];
    assert.equal(plainReply(headers, bomb), bomb);
    const broken = bomb.subarray(0, 100);
    assert.equal(plainReply(headers, broken), broken);
    assert.equal(plainReply(headers, gzipSync('{"items":[]}')).toString(), '{"items":[]}');
  });

  it('in an answer to a search give the caller the engine’s own answer', async () => {
    const proxy = await proxyOver(() => ({
      body: gzipSync(ONE_HIT),
      headers: { 'content-encoding': 'gzip' },
    }));
    const reply = await search(proxy, '{"query":{"match":{"title":"x"}}}');
    assert.equal(reply.headers.get('x-twinrank'), 'skipped; reason=unreadable_answer');
    assert.equal(await reply.text(), ONE_HIT);
  });
});

const nested = (depth: number): string => '{"a":['.repeat(depth) + '1' + ']}'.repeat(depth);
const BOMBS: readonly (readonly [string, string])[] = [
  ['100,000 deep', nested(50_000)],
  ['200,000 keys broad', `{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":0`).join()}}`],
  ['a number of 1,000,000 digits', `{"n":${'9'.repeat(1_000_000)}}`],
  ['numbers beyond all', '{"n":[1e999999,-1e999999,1e-999999,0.1e+99]}'],
  ['a key of 1,000,000 characters', `{"${'k'.repeat(1_000_000)}":1}`],
  ['100,000 escapes', `{"s":"${'\\u0041'.repeat(100_000)}"}`],
  ['the same key 100,000 times', `{${'"title":"t",'.repeat(100_000)}"title":"u"}`],
];

describe('JSON bombs', () => {
  for (const [name, bomb] of BOMBS) {
    it(`${name}, in a search: answered by the engine or by us, and the next search is as before`, async () => {
      const proxy = await proxyOver();
      for (const body of [
        `{"query":{"match":{"title":"x"}},"aggs":${bomb}}`,
        `{"query":${bomb}}`,
        `{"query":{"match":{"title":"x"}},"ext":{"other":${bomb}}}`,
        `{"query":{"match":{"title":"x"}},"ext":{"rerank":${bomb}}}`,
        `{"query":{"match":{"title":"x"}},"ext":{"twinrank":${bomb}}}`,
      ]) {
        const reply = await search(proxy, body);
        assert.ok(reply.status === 200 || reply.status === 400, String(reply.status));
        await reply.arrayBuffer();
      }
      const next = await search(proxy, '{"query":{"match":{"title":"x"}}}');
      assert.match(next.headers.get('x-twinrank') ?? '', /^applied/);
    });

    it(`${name}, in an answer: its bytes reach the caller`, async () => {
      const proxy = await proxyOver(() => ({
        body: `{"took":1,"hits":{"max_score":1.0,"hits":[{"_index":"i","_id":"1","_score":1.0,"_source":${bomb}}]},"aggregations":${bomb}}`,
      }));
      const reply = await search(proxy, '{"query":{"match":{"title":"x"}}}');
      assert.equal(reply.status, 200);
      const text = await reply.text();
      assert.ok(text.includes(`"_source":${bomb}`));
      assert.ok(text.includes(`"aggregations":${bomb}`));
    });

    it(`${name}, in a bulk line: its bytes reach the engine`, async () => {
      const engine = await faultyEngine();
      const sidecar = await sidecarOver(engine.url);
      const source = `{"title":"t","x":${bomb}}`;
      const reply = await postBulk(
        sidecar,
        `{"index":{"_index":"i","_id":"d0"}}\n${source}\n{"index":{"_index":"i","_id":"d1"}}\n{"title":"b"}\n`,
      );
      assert.deepEqual(resultsOf((await reply.json()) as BulkAnswer), ['d0 201', 'd1 201']);
      assert.ok(engine.bodies.join('').includes(source.slice(1)));
    });

    it(`${name}, in a mapping: refused by the name of the key`, () => {
      const block = JSON.parse(bomb) as unknown;
      for (const key of ['version', 'text_fields', 'native', 'fingerprint', 'model'])
        assert.throws(() => settingsFromMeta({ twinrank: { version: 1, [key]: block } }, 'i'), {
          code: 'bad_config',
        });
      assert.throws(() => settingsFromMeta({ twinrank: block }, 'i'), { code: 'bad_config' });
    });
  }

  it('of text fields are refused', () => {
    const block = {
      version: 1,
      codec: 'f16',
      dimensions: 2,
      model: 'm',
      fingerprint: '0123456789abcdef',
      vector_field: 'v',
      window: 5,
    };
    const fields = (text_fields: readonly string[]): unknown =>
      settingsFromMeta({ twinrank: { ...block, text_fields } }, 'i');
    assert.ok(fields(['title']));
    assert.throws(() => fields(Array.from({ length: 100_000 }, (_, n) => `f${n}`)), { code: 'bad_config' });
    assert.throws(() => fields(['a.'.repeat(100_000)]), { code: 'bad_config' });
  });
});
