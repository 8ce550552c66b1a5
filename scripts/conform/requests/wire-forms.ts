/** What HTTP/1.1 allows on the wire: headers, framing, connections, targets, sizes. */
import { gzipSync } from 'node:zlib';
import {
  ask,
  get,
  JSON_TYPE,
  rawText,
  send,
  type ConformExchange,
  type ConformRequest,
  type Family,
} from '../request.js';

const BODY = '{"query":{"match":{"title":"bicycle"}},"size":100}';
const SEARCH = '/{i}-docs/_search';
const OK = { status: 200 };

function withHeaders(...headers: readonly string[]): ConformRequest {
  return get('/{i}-docs/_doc/1', { headers });
}

function raw(
  name: string,
  text: string | readonly (string | Buffer | number)[],
  methods: readonly string[] = ['GET'],
  watchClose = false,
): ConformExchange {
  return { name, pieces: typeof text === 'string' ? [text] : text, methods, watchClose };
}

function chunked(...chunks: readonly string[]): string {
  return `${chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

const LENGTH = `Content-Length: ${BODY.length}`;
const GET_DOC = rawText('GET /{i}-docs/_doc/1 HTTP/1.1');
const GET_NONE = rawText('GET /{i}-docs/_doc/404 HTTP/1.1');
const HEAD_DOC = rawText('HEAD /{i}-docs/_doc/1 HTTP/1.1');
const POST_SEARCH = rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH], BODY);
const CLOSE = rawText('GET /{i}-docs/_doc/1 HTTP/1.1', ['Connection: close']);
const CHUNKED_HEAD = [JSON_TYPE, 'Transfer-Encoding: chunked'];

export const HEADERS: Family = {
  name: 'headers',
  cases: [
    withHeaders('X-Opaque-Id: plain'),
    withHeaders('x-opaque-id: \u00e9\u00ff\u0080'),
    withHeaders('X-OPAQUE-ID: \u00e4\u00bd\u00a0 bytes of UTF-8'),
    withHeaders('X-Opaque-Id: one', 'X-Opaque-Id: two'),
    withHeaders('X-Opaque-Id:'),
    withHeaders('X-Opaque-Id:    padded   '),
    withHeaders(`X-Opaque-Id: ${'o'.repeat(4_000)}`),
    withHeaders('traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
    withHeaders('Accept: application/json', 'Accept: application/yaml'),
    withHeaders('Accept:'),
    withHeaders('accept: APPLICATION/JSON'),
    withHeaders('Accept-Encoding: gzip'),
    withHeaders('Accept-Encoding: deflate'),
    withHeaders('Accept-Encoding: br'),
    withHeaders('Accept-Encoding: identity;q=1, *;q=0'),
    withHeaders('Accept-Encoding: gzip;q=0'),
    withHeaders('Origin: http://elsewhere.example'),
    withHeaders('Authorization: Basic bm86Ym9keQ=='),
    withHeaders('Cookie: a=1; b=2', 'Cookie: c=3'),
    withHeaders('X-Forwarded-For: 1.2.3.4', 'Via: 1.1 somewhere', 'Forwarded: for=1.2.3.4'),
    withHeaders('If-None-Match: "x"', 'Range: bytes=0-3', 'If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT'),
    withHeaders('X-Empty:', 'X-Tab:\tvalue\t', 'X-Colon: a:b:c'),
    withHeaders(...Array.from({ length: 60 }, (_, n) => `X-Many-${n}: ${n}`)),
    withHeaders('User-Agent: none', 'DNT: 1', 'X-Elastic-Product-Origin: none'),
    ask(SEARCH, gzipSync(BODY), { headers: [JSON_TYPE, 'Content-Encoding: gzip'], status: 200 }),
    ask(SEARCH, gzipSync(BODY), {
      headers: [JSON_TYPE, 'Content-Encoding: gzip', 'Accept-Encoding: gzip'],
      status: 200,
    }),
    ask(SEARCH, BODY, { headers: [JSON_TYPE, 'Content-Encoding: identity'] }),
    ask(SEARCH, BODY, { headers: [JSON_TYPE, 'Content-Encoding: nonsense'] }),
    send('PUT', '/{i}-h/_doc/1', gzipSync('{"title":"gzip document"}'), {
      headers: [JSON_TYPE, 'Content-Encoding: gzip'],
      mutates: true,
      status: 201,
    }),
    send('PUT', '/{i}-h/_doc/2', '{"title":"gzip answer"}', {
      headers: [JSON_TYPE, 'Accept-Encoding: gzip'],
      mutates: true,
      status: 201,
    }),
    get('/{i}-docs/_doc/1', { headers: [JSON_TYPE, 'Content-Length: 0'] }),
    get('/{i}-docs/_doc/%zz'),
    get('/{i}-docs/_doc/%'),
    get('/{i}-docs/_doc/1?'),
    get('/{i}-docs/_doc/1?='),
    get('/{i}-docs/_doc/1?a=b=c&&pretty'),
    get('/{i}-docs/_doc/1?_source=ti%74le', OK),
    get('/{i}-docs/_doc/1;v=1'),
    get('/{i}-docs/./_doc/1'),
    get('/{i}-docs/../{i}-more/_doc/1'),
    get('/{i}-docs/%2e%2e/_doc/1'),
    get('/{i}-docs//_doc/1'),
    get('/{i}-docs/_doc/1/'),
    get('/%7Bi%7D'),
    get('/{i}-gr%C3%B6%C3%9Fe-%E7%B4%A2%E5%BC%95/_doc/1', OK),
    get(`/{i}-docs/_doc/1?_source=${'title,'.repeat(600)}`, OK),
    get(`/{i}-docs/_doc/${'y'.repeat(4_200)}`),
    get('/{i}-docs/_doc/1?_source=%E4%BD%A0', OK),
    get('/{i}-docs/_doc/1?pretty=%74rue', OK),
    get("/{i}-docs/_doc/a'b(c)!*~@$,;:"),
    get('/{i}-docs/_doc/a"b<c>|\\^`{}'),
  ],
};

export const WIRE_FORMS: Family = {
  name: 'framing and connections',
  cases: [
    raw('two requests on one connection', [GET_DOC, 30, GET_NONE], ['GET', 'GET']),
    raw('pipelined: four reads', GET_DOC + GET_NONE + HEAD_DOC + GET_DOC, ['GET', 'GET', 'HEAD', 'GET']),
    raw('pipelined: searches and reads', POST_SEARCH + GET_DOC + POST_SEARCH + HEAD_DOC, [
      'POST',
      'GET',
      'POST',
      'HEAD',
    ]),
    raw('pipelined: twenty', GET_DOC.repeat(20), Array<string>(20).fill('GET')),
    raw('pipelined, then close', GET_DOC + CLOSE, ['GET', 'GET'], true),
    raw('Connection: close', CLOSE, ['GET'], true),
    raw(
      'Connection: Close, X-Other',
      rawText('GET / HTTP/1.1', ['Connection: Close, X-Other', 'X-Other: 1']),
    ),
    raw('Connection: keep-alive', rawText('GET / HTTP/1.1', ['Connection: keep-alive']), ['GET'], true),
    raw('HTTP/1.0', rawText('GET / HTTP/1.0'), ['GET'], true),
    raw('HTTP/1.0 without Host', rawText('GET / HTTP/1.0', [], '', ''), ['GET'], true),
    raw('HTTP/1.0 keep-alive', rawText('GET / HTTP/1.0', ['Connection: keep-alive']), ['GET'], true),
    raw('HTTP/1.0 HEAD', rawText('HEAD / HTTP/1.0'), ['HEAD'], true),
    raw(
      'HTTP/1.0 with a body',
      rawText(`POST ${SEARCH} HTTP/1.0`, [JSON_TYPE, LENGTH], BODY),
      ['POST'],
      true,
    ),
    // The engines know the origin form only; a server must take both (RFC 9112 section 3.2.2).
    {
      ...raw('absolute form', rawText('GET http://{host}/{i}-docs/_doc/1 HTTP/1.1')),
      direct: [rawText('GET /{i}-docs/_doc/1 HTTP/1.1')],
    },
    {
      ...raw(
        'absolute form of a search',
        rawText(`POST HTTP://{host}${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH], BODY),
        ['POST'],
      ),
      direct: [rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH], BODY)],
    },
    raw('asterisk form', rawText('OPTIONS * HTTP/1.1'), ['OPTIONS']),
    raw('chunked search', rawText(`POST ${SEARCH} HTTP/1.1`, CHUNKED_HEAD, chunked(BODY)), ['POST']),
    raw(
      'chunked search in small chunks',
      rawText(`POST ${SEARCH} HTTP/1.1`, CHUNKED_HEAD, chunked(...BODY)),
      ['POST'],
    ),
    raw(
      'chunked with an extension',
      rawText(
        `POST ${SEARCH} HTTP/1.1`,
        CHUNKED_HEAD,
        `${BODY.length.toString(16)};name=value\r\n${BODY}\r\n0\r\n\r\n`,
      ),
      ['POST'],
    ),
    raw(
      'chunked with a trailer',
      rawText(
        `POST ${SEARCH} HTTP/1.1`,
        [...CHUNKED_HEAD, 'Trailer: X-Sum'],
        `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
      ),
      ['POST'],
    ),
    raw(
      'chunked sizes in capitals and with zeros',
      rawText(
        `POST ${SEARCH} HTTP/1.1`,
        CHUNKED_HEAD,
        `000${BODY.length.toString(16).toUpperCase()}\r\n${BODY}\r\n0\r\n\r\n`,
      ),
      ['POST'],
    ),
    raw(
      'chunked document',
      rawText('PUT /{i}-h/_doc/3 HTTP/1.1', CHUNKED_HEAD, chunked('{"title":', '"chunks"}')),
      ['PUT'],
    ),
    raw(
      'chunked, written byte by byte',
      [
        rawText(`POST ${SEARCH} HTTP/1.1`, CHUNKED_HEAD),
        ...chunked(BODY)
          .match(/[\s\S]{1,12}/g)!
          .flatMap((part) => [part, 2]),
      ],
      ['POST'],
    ),
    raw('chunked and empty', rawText(`POST ${SEARCH} HTTP/1.1`, CHUNKED_HEAD, chunked()), ['POST']),
    raw('head in pieces', [
      'GET /{i}-docs',
      15,
      '/_doc/1 HTT',
      15,
      'P/1.1\r\nHo',
      15,
      'st: {host}\r\n\r',
      15,
      '\n',
    ]),
    raw('body after a pause', [rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH]), 60, BODY], ['POST']),
    raw(
      'Expect: 100-continue, search',
      [rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH, 'Expect: 100-continue']), 150, BODY],
      ['POST'],
    ),
    raw(
      'Expect: 100-continue, document',
      [
        rawText('PUT /{i}-h/_doc/4 HTTP/1.1', [JSON_TYPE, 'Content-Length: 13', 'expect: 100-Continue']),
        150,
        '{"title":"x"}',
      ],
      ['PUT'],
    ),
    raw(
      'Expect: 100-continue, body at once',
      rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH, 'Expect: 100-continue'], BODY),
      ['POST'],
    ),
    raw('Expect: something else', rawText('GET / HTTP/1.1', ['Expect: something']), ['GET']),
    raw(
      'Expect: 100-continue with a body above the limit',
      [
        rawText('PUT /{i}-h/_doc/5 HTTP/1.1', [
          JSON_TYPE,
          'Content-Length: 300000000',
          'Expect: 100-continue',
        ]),
        200,
        `{"title":"${'m'.repeat(200_000)}`,
      ],
      ['PUT'],
    ),
    raw('no Host', rawText('GET / HTTP/1.1', [], '', '')),
    raw('another Host', rawText('GET / HTTP/1.1', [], '', 'Host: other.example')),
    raw('empty Host', rawText('GET / HTTP/1.1', [], '', 'Host:')),
    raw('empty lines before the request', `\r\n${GET_DOC}`),
    // OpenSearch 3 changes to HTTP/2; a server need not, and no proxy may pass it on (RFC 9110 section 7.8).
    {
      ...raw(
        'Upgrade to h2c',
        rawText('GET / HTTP/1.1', [
          'Connection: Upgrade, HTTP2-Settings',
          'Upgrade: h2c',
          'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
        ]),
      ),
      direct: [rawText('GET / HTTP/1.1')],
    },
    raw('Upgrade to websocket', rawText('GET / HTTP/1.1', ['Connection: Upgrade', 'Upgrade: websocket'])),
    raw('TE: trailers', rawText('GET / HTTP/1.1', ['TE: trailers', 'Connection: TE'])),
    raw('Content-Length twice the same', rawText('GET / HTTP/1.1', ['Content-Length: 0'])),
    raw('GET with a body', rawText(`GET ${SEARCH} HTTP/1.1`, [JSON_TYPE, LENGTH], BODY)),
    raw(
      'DELETE with a body',
      rawText('DELETE /{i}-h/_doc/404 HTTP/1.1', [JSON_TYPE, 'Content-Length: 2'], '{}'),
      ['DELETE'],
    ),
    raw('HEAD then GET', HEAD_DOC + GET_DOC, ['HEAD', 'GET']),
    raw(
      'an error and then a good request',
      rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, 'Content-Length: 5'], '{bad}') + GET_DOC,
      ['POST', 'GET'],
    ),
    raw(
      'a document of 5 MB',
      [
        rawText('PUT /{i}-h/_doc/6 HTTP/1.1', [JSON_TYPE, `Content-Length: ${5_000_012}`]),
        `{"title":"${'m'.repeat(5_000_000)}"}`,
      ],
      ['PUT'],
    ),
    raw('the document of 5 MB read back', rawText('GET /{i}-h/_doc/6 HTTP/1.1')),
    raw('the same compressed', rawText('GET /{i}-h/_doc/6 HTTP/1.1', ['Accept-Encoding: gzip'])),
    raw(
      'a search body of 5 MB',
      [
        rawText(`POST ${SEARCH} HTTP/1.1`, [JSON_TYPE, `Content-Length: ${5_000_000 + BODY.length}`]),
        ' '.repeat(5_000_000) + BODY,
      ],
      ['POST'],
    ),
    raw(
      'a chunked bulk body of 5 MB',
      [
        rawText('POST /{i}-h/_bulk HTTP/1.1', [
          'Content-Type: application/x-ndjson',
          'Transfer-Encoding: chunked',
        ]),
        chunked(
          ...Array.from(
            { length: 50 },
            (_, n) => `{"index":{"_id":"c${n}"}}\n{"t":"${'b'.repeat(100_000)}"}\n`,
          ),
        ),
      ],
      ['POST'],
    ),
  ],
};
