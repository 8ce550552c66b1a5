/** What a caller writes stays a value: of a header, of a line of the log, of a JSON object. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createRequestLog } from '../../../src/cli/request-log.js';
import { headerSafe } from '../../../src/http/header-rules.js';
import { newRecord } from '../../../src/http/request-record.js';
import { bodyKnobs, headerKnobs } from '../../../src/rerank/knobs.js';
import { readSearch } from '../../../src/rerank/plan.js';
import { searchRoute } from '../../../src/rerank/search-route.js';
import { settingsFromMeta } from '../../../src/search-engine/mapping-meta.js';
import { converse } from '../http/wire.js';
import { proxyOver, search } from './proxy.js';

const LIMITS = { maxWindow: 1_000 };

describe('Header injection', () => {
  it('makes no header of line ends in a target, a knob or a query', async () => {
    const proxy = await proxyOver();
    const evil = '%0d%0aX-Evil:%201%0d%0a';
    const text = JSON.stringify('a\r\nX-Evil: 1\r\n\r\nb');
    const body = `{"query":{"match":{"title":${text}}},"ext":{"twinrank":{"blend":${text}}}}`;
    for (const [target, content] of [
      [`/i${evil}/_search?q=x`, ''],
      [`/i/_search?q=x${evil}&preference=${evil}`, ''],
      ['/i/_search', `{"query":{"match":{"title":${text}}}}`],
      ['/i/_search', body],
    ] as const) {
      const reply = await converse(
        proxy.port,
        `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${content.length}\r\n\r\n${content}`,
      );
      const [head = ''] = reply.split('\r\n\r\n');
      assert.match(head, /^HTTP\/1\.1 (?:200|400) /);
      assert.doesNotMatch(head, /^x-evil/im);
    }
    assert.ok(proxy.seen.length >= 3);
    for (const line of proxy.seen.flat()) assert.doesNotMatch(line, /^x-evil/i);
  });

  for (const [name, line] of [
    ['a bare line feed', 'X-A: b\nX-Evil: 1'],
    ['a bare carriage return', 'X-A: b\rX-Evil: 1'],
    ['a NUL', 'X-A: b\0X-Evil: 1'],
    ['our own header with a line feed', 'x-twinrank: on\nX-Evil: 1'],
  ] as const)
    it(`does not let ${name} through`, async () => {
      const proxy = await proxyOver();
      const reply = await converse(
        proxy.port,
        `GET /i/_search?q=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}\r\n\r\n`,
      );
      // Where the parser takes the line end for one, it is the caller's own header, as it would be at the engine.
      if (!reply.startsWith('HTTP/1.1 200')) assert.match(reply, /^HTTP\/1\.1 400 /);
      for (const seen of proxy.seen.flat()) assert.doesNotMatch(seen, /[\r\n\0]/);
    });

  it('leaves no line end in a text that becomes a header', () => {
    assert.equal(headerSafe('a\r\nb: c\u2028d\0'), 'a b: c d ');
  });
});

describe('Log injection', () => {
  it('keeps one line a request, whatever the caller sends', async () => {
    const stream = new PassThrough();
    const log = createRequestLog(pino({ level: 'info' }, stream), { requests: 'all', slowMs: 0, queries: 1 });
    const evil = 'x\n{"level":50,"msg":"forged"}\r\u2028\x1b[2J\x9b2J';
    const record = newRecord();
    record.query = evil;
    log.write(
      {
        id: '1',
        method: 'GET',
        target: `/${evil}/_search?q=secret`,
        rawHeaders: ['X-Opaque-Id', evil],
        record,
      },
      { ms: 1, status: 200, bytesIn: 0, bytesOut: 0, isCancelled: false },
    );
    const written = String(stream.read());
    assert.equal(written.split('\n').length, 2);
    assert.equal((JSON.parse(written) as { msg: string }).msg, 'request');
    for (const control of ['\r', '\x1b', '\x9b', '\u2028']) assert.ok(!written.includes(control));
    assert.doesNotMatch(written, /secret/);
  });
});

describe('Prototype pollution', () => {
  const hostile = [
    '{"__proto__":{"window":7,"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"prototype":{"polluted":true}}',
    '{"toString":1}',
    '{"hasOwnProperty":1}',
  ];

  it('is refused in ext.twinrank and in the header, by name', () => {
    for (const block of hostile)
      assert.throws(() => bodyKnobs(JSON.parse(block), LIMITS), { code: 'bad_request' }, block);
    for (const name of ['__proto__=1', 'constructor=1', 'toString', '__proto__'])
      assert.throws(() => headerKnobs(name, LIMITS), { code: 'bad_request' }, name);
  });

  it('changes no object by ext, by a query or by the settings of an index', async () => {
    const proxy = await proxyOver();
    for (const block of hostile) {
      const reply = await search(proxy, `{"query":{"match":{"title":"x"}},"ext":{"twinrank":${block}}}`);
      assert.equal(reply.status, 400);
      await reply.arrayBuffer();
      const rerank = await search(proxy, `{"query":{"match":{"title":"x"}},"ext":{"rerank":${block}}}`);
      assert.equal(rerank.status, 400);
      await rerank.arrayBuffer();
      const ext = await search(proxy, `{"query":{"match":{"title":"x"}},"ext":${block}}`);
      assert.equal(ext.status, 200);
      await ext.arrayBuffer();
      const route = searchRoute('POST', '/i/_search');
      if (route !== undefined) readSearch(route, Buffer.from(`{"query":${block}}`));
      assert.throws(() => settingsFromMeta({ twinrank: JSON.parse(block) }, 'i'), { code: 'bad_config' });
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal(({} as Record<string, unknown>)['window'], undefined);
  });
});
