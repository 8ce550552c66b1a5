/** Which headers cross, which target goes upstream, and how our own errors look. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asTwinrankError, STATUS_OF, TwinrankError, type ErrorCode } from '../../../src/errors.js';
import { errorBody } from '../../../src/http/error-reply.js';
import {
  headerSafe,
  headerValue,
  requestHeaders,
  responseHeaders,
  without,
} from '../../../src/http/header-rules.js';
import { upstreamPath } from '../../../src/http/pass-through.js';

describe('request headers', () => {
  it('keep order, case and duplicates; Host becomes the upstream’s', () => {
    const raw = [
      'X-B',
      '1',
      'hOST',
      'proxy:1',
      'x-a',
      '2',
      'X-B',
      '3',
      'Authorization',
      'Basic x',
      'Content-Length',
      '5',
    ];
    const expected = [
      'X-B',
      '1',
      'hOST',
      'engine:9200',
      'x-a',
      '2',
      'X-B',
      '3',
      'Authorization',
      'Basic x',
      'Content-Length',
      '5',
    ];
    assert.deepEqual(requestHeaders(raw, 'engine:9200'), expected);
  });

  it('leave hop-by-hop headers behind, and what Connection names', () => {
    const raw = [
      'Connection',
      'close, X-Hop',
      'x-hop',
      '1',
      'Keep-Alive',
      'x',
      'TE',
      'trailers',
      'Trailer',
      'x',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'Proxy-Connection',
      'x',
      'Expect',
      '100-continue',
      'x',
      'y',
    ];
    assert.deepEqual(requestHeaders(raw, 'e'), ['x', 'y']);
  });

  it('keep Content-Length and Host even where Connection names them', () => {
    const raw = ['Connection', 'content-length, host', 'Content-Length', '3', 'Host', 'h'];
    assert.deepEqual(requestHeaders(raw, 'e'), ['Content-Length', '3', 'Host', 'e']);
  });
});

describe('response headers', () => {
  it('cross but for hop-by-hop ones', () => {
    const raw = [
      'Warning',
      '299 a',
      'Warning',
      '299 b',
      'connection',
      'keep-alive, x-hop',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=5',
      'transfer-encoding',
      'chunked',
      'Content-Length',
      '2',
    ];
    assert.deepEqual(responseHeaders(raw), ['Warning', '299 a', 'Warning', '299 b', 'Content-Length', '2']);
  });

  it('can be looked up and left out by name', () => {
    const raw = ['A', '1', 'b', '2', 'a', '3'];
    assert.equal(headerValue(raw, 'a'), '1');
    assert.equal(headerValue(raw, 'c'), undefined);
    assert.deepEqual(without(raw, 'a', 'c'), ['b', '2']);
  });

  it('of ours are one line of visible ASCII', () => {
    assert.equal(headerSafe('a\r\nSet-Cookie: x\u0000é'), 'a Set-Cookie: x ');
    assert.equal(headerSafe('x'.repeat(5000)).length, 1000);
  });
});

describe('the request target', () => {
  it('goes upstream in origin form, below the upstream’s prefix', () => {
    for (const [target, prefix, path] of [
      ['/a?b=c', '', '/a?b=c'],
      ['/a', '/engine', '/engine/a'],
      ['/%2e%2e/a//b/?', '', '/%2e%2e/a//b/?'],
      ['//other.example/a', '', '//other.example/a'],
      ['http://other.example/a?b', '', '/a?b'],
      ['HTTPS://user@other.example:1/a', '/p', '/p/a'],
      ['http://other.example', '', '/'],
      ['http://other.example?q', '', '/?q'],
      ['*', '', '/*'],
    ] as const)
      assert.equal(upstreamPath(target, prefix), path, target);
  });
});

describe('an error of ours', () => {
  it('has the engine’s shape and its code’s status', () => {
    for (const code of Object.keys(STATUS_OF) as ErrorCode[]) {
      const body: unknown = JSON.parse(
        errorBody(new TwinrankError(code, 'Why "it" failed.')).toString('utf8'),
      );
      const cause = { type: `twinrank_${code}_exception`, reason: 'Why "it" failed.' };
      assert.deepEqual(body, { error: { root_cause: [cause], ...cause }, status: STATUS_OF[code] });
    }
  });

  it('is made of anything thrown', () => {
    const known = new TwinrankError('overloaded', 'x');
    assert.equal(asTwinrankError(known), known);
    assert.equal(asTwinrankError(AbortSignal.abort().reason).code, 'cancelled');
    assert.equal(asTwinrankError(new Error('x')).code, 'internal');
    assert.equal(asTwinrankError('text').message, 'Unexpected failure: text');
  });
});
