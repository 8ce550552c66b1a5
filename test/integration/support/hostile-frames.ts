/** Requests that are hostile by their framing, heads, targets or manners. */
import type { HostileRequest } from './hostile-wire.js';

const CRLF = '\r\n';
const SECRET = 'GET /{i}/_doc/secret HTTP/1.1\r\nHost: x\r\n\r\n';

/** A head from its lines. */
function head(...lines: readonly string[]): string {
  return lines.join(CRLF) + CRLF + CRLF;
}

function refused(name: string, ...pieces: readonly (string | Buffer | number)[]): HostileRequest {
  return { name, pieces, refused: true };
}

function odd(name: string, ...pieces: readonly (string | Buffer | number)[]): HostileRequest {
  return { name, pieces };
}

const POST = 'POST /{i}/_search HTTP/1.1';
const HOST = 'Host: {host}';
const JSON_TYPE = 'Content-Type: application/json';
const CHUNKED = 'Transfer-Encoding: chunked';

/** Two readings of where a request ends: the second reader would see SECRET as a request of its own. */
const SMUGGLING: readonly HostileRequest[] = [
  refused(
    'two different lengths',
    head(POST, HOST, 'Content-Length: 2', 'Content-Length: 44'),
    `{}${SECRET}`,
  ),
  refused('two lengths in one line', head(POST, HOST, 'Content-Length: 2, 44'), `{}${SECRET}`),
  refused('the same length twice', head(POST, HOST, 'Content-Length: 2', 'Content-Length: 2'), `{}`),
  refused('length and chunks', head(POST, HOST, 'Content-Length: 5', CHUNKED), `0\r\n\r\n${SECRET}`),
  refused('chunks and length', head(POST, HOST, CHUNKED, 'Content-Length: 50'), `0\r\n\r\n${SECRET}`),
  refused(
    'chunked, but not last',
    head(POST, HOST, 'Transfer-Encoding: chunked, identity'),
    `0\r\n\r\n${SECRET}`,
  ),
  refused(
    'an unknown transfer coding',
    head(POST, HOST, 'Transfer-Encoding: xchunked'),
    `0\r\n\r\n${SECRET}`,
  ),
  refused(
    'chunked with a tab before it',
    head(POST, HOST, 'Transfer-Encoding:\tchunked\x0b'),
    `0\r\n\r\n${SECRET}`,
  ),
  refused('chunked twice', head(POST, HOST, CHUNKED, 'Transfer-Encoding: identity'), `0\r\n\r\n${SECRET}`),
  refused('chunked in quotes', head(POST, HOST, 'Transfer-Encoding: "chunked"'), `0\r\n\r\n${SECRET}`),
  refused('a space before the colon', head(POST, HOST, 'Content-Length : 2'), `{}${SECRET}`),
  refused(
    'a space before the colon of the coding',
    head(POST, HOST, 'Transfer-Encoding : chunked'),
    `0\r\n\r\n`,
  ),
  refused('a folded header', head(POST, HOST, 'X-Folded: a', ' b', 'Content-Length: 2'), '{}'),
  refused('a folded coding', head(POST, HOST, 'Transfer-Encoding:', ' chunked'), `0\r\n\r\n${SECRET}`),
  refused('a negative length', head(POST, HOST, 'Content-Length: -1'), SECRET),
  refused('a length with a sign', head(POST, HOST, 'Content-Length: +2'), `{}${SECRET}`),
  refused('a length in hexadecimal', head(POST, HOST, 'Content-Length: 0x2'), `{}${SECRET}`),
  refused('a length that overflows', head(POST, HOST, 'Content-Length: 18446744073709551617'), SECRET),
  refused('a length with a space inside', head(POST, HOST, 'Content-Length: 4 4'), SECRET),
  refused('a length of letters', head(POST, HOST, 'Content-Length: two'), SECRET),
  refused('chunk size of letters', head(POST, HOST, CHUNKED), `zz\r\n{}\r\n0\r\n\r\n${SECRET}`),
  refused('chunk size with a sign', head(POST, HOST, CHUNKED), `-2\r\n{}\r\n0\r\n\r\n${SECRET}`),
  refused('chunk size with a prefix', head(POST, HOST, CHUNKED), `0x2\r\n{}\r\n0\r\n\r\n${SECRET}`),
  refused(
    'chunk size that overflows',
    head(POST, HOST, CHUNKED),
    `ffffffffffffffff2\r\n{}\r\n0\r\n\r\n${SECRET}`,
  ),
  refused('chunk longer than it says', head(POST, HOST, CHUNKED), `2\r\n{}{}{}\r\n0\r\n\r\n${SECRET}`),
  refused('chunk ended by a bare line feed', head(POST, HOST, CHUNKED), `2\n{}\n0\n\n${SECRET}`),
  refused(
    'a bare line feed in a chunk extension',
    head(POST, HOST, CHUNKED),
    `2;a\nb\r\n{}\r\n0\r\n\r\n${SECRET}`,
  ),
  refused('a NUL in a header', head(POST, HOST, 'X-Nul: a\0b')),
  refused('a NUL in a header name', head(POST, HOST, 'X-N\0ul: b')),
  refused('a carriage return in a header', head(POST, HOST, 'X-Cr: a\rb')),
  refused('a header without a colon', head(POST, HOST, 'no colon here')),
  refused('a header without a name', head(POST, HOST, ': nameless')),
  refused('a header name with brackets', head(POST, HOST, 'X(a): b')),
  refused('bare line feeds only', 'GET /{i}/_doc/1 HTTP/1.1\nHost: x\nX-A: b\n\n'),
  odd(
    'a trailer that names a length',
    head(POST, HOST, CHUNKED),
    `2\r\n{}\r\n0\r\nContent-Length: 99\r\n\r\n`,
  ),
  odd(
    'a huge chunk extension',
    head(POST, HOST, JSON_TYPE, CHUNKED),
    `2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`,
  ),
  odd(
    'ten thousand chunks of one byte',
    head(POST, HOST, JSON_TYPE, CHUNKED),
    `${'1\r\n \r\n'.repeat(10_000)}2\r\n{}\r\n0\r\n\r\n`,
  ),
  odd(
    'a request within the body',
    head(POST, HOST, JSON_TYPE, `Content-Length: ${SECRET.length + 20}`),
    SECRET.padEnd(SECRET.length + 20),
  ),
  odd('a body that a GET did not announce', `${head('GET /{i}/_doc/1 HTTP/1.1', HOST)}{"smuggled":1}`),
  odd(
    'Connection that names Content-Length',
    head(POST, HOST, JSON_TYPE, 'Connection: Content-Length', 'Content-Length: 2'),
    '{}',
  ),
  odd(
    'Connection that names Host and Authorization',
    head('GET /{i}/_doc/1 HTTP/1.1', HOST, 'Connection: Host, Authorization'),
  ),
];

const HEADS: readonly HostileRequest[] = [
  refused('no HTTP at all', 'hello\r\n\r\n'),
  refused('bytes of noise', Buffer.from(Array.from({ length: 512 }, (_, n) => (n * 197 + 13) % 256))),
  refused('a TLS hello', Buffer.from('16030100a5010000a10303000102030405060708090a0b0c0d0e0f', 'hex')),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  refused('HTTP/2 by its version', head('GET / HTTP/2.0', HOST)),
  { name: 'HTTP/0.9', pieces: ['GET /\r\n'], leave: 'end', abandons: true, waitMs: 200 },
  refused('HTTP/9.9', head('GET / HTTP/9.9', HOST)),
  refused('a version of letters', head('GET / HTTP/x.y', HOST)),
  refused('a method in small letters', head('get / HTTP/1.1', HOST)),
  refused('an unknown method', head('FROBNICATE / HTTP/1.1', HOST)),
  refused('a method with a NUL', head('GE\0T / HTTP/1.1', HOST)),
  refused('a very long method', head(`${'A'.repeat(10_000)} / HTTP/1.1`, HOST)),
  // RFC 9112 section 3 lets a server read words apart by any space; what goes on is well formed.
  { name: 'two spaces in the request line', pieces: [head('GET  / HTTP/1.1', HOST)], also: 200 },
  refused('a space in the target', head('GET /a b HTTP/1.1', HOST)),
  refused('a NUL in the target', head('GET /a\0b HTTP/1.1', HOST)),
  refused('bytes above ASCII in the target', head('GET /\u00c3\u00b6/_doc/1 HTTP/1.1', HOST)),
  refused('CONNECT', head('CONNECT {decoy} HTTP/1.1', 'Host: {decoy}')),
  refused('one header of 200 KB', head('GET / HTTP/1.1', HOST, `X-Big: ${'b'.repeat(200_000)}`)),
  refused(
    '20,000 headers',
    head('GET / HTTP/1.1', HOST, ...Array.from({ length: 20_000 }, (_, n) => `X-${n}: 1`)),
  ),
  refused('a target of 200 KB', head(`GET /${'t'.repeat(200_000)} HTTP/1.1`, HOST)),
  odd('1,500 headers', head('GET / HTTP/1.1', HOST, ...Array.from({ length: 1_500 }, (_, n) => `X-${n}: 1`))),
  odd('TRACE', head('TRACE / HTTP/1.1', HOST)),
  odd('PROPFIND', head('PROPFIND / HTTP/1.1', HOST)),
  odd(
    'Upgrade to h2c',
    head(
      'GET /{i}/_doc/1 HTTP/1.1',
      HOST,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ),
  ),
  odd(
    'Upgrade to websocket',
    head(
      'GET /{i}/_doc/1 HTTP/1.1',
      HOST,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: AAAA',
      'Sec-WebSocket-Version: 13',
    ),
  ),
  refused('two hosts', head('GET / HTTP/1.1', HOST, 'Host: {decoy}')),
  odd('the host of another', head('GET / HTTP/1.1', 'Host: {decoy}')),
  odd('a host with a path', head('GET / HTTP/1.1', 'Host: {host}/evil')),
  odd('a host with credentials', head('GET / HTTP/1.1', 'Host: user:pass@{decoy}')),
  odd(
    'X-Forwarded-Host of another',
    head(
      'GET / HTTP/1.1',
      HOST,
      'X-Forwarded-Host: {decoy}',
      'X-Original-URL: http://{decoy}/',
      'Forwarded: host={decoy}',
    ),
  ),
  odd('an expectation that nobody knows', head('GET / HTTP/1.1', HOST, 'Expect: miracles')),
];

const TARGETS: readonly HostileRequest[] = [
  'http://{decoy}/',
  'http://{decoy}/{i}/_search?q=title:bicycle',
  'https://{decoy}/{i}/_search',
  'http://user:pass@{decoy}/',
  'HTTP://{decoy}/..//..//',
  'ftp://{decoy}/',
  '//{decoy}/{i}/_search?q=bicycle',
  '///{decoy}//_search',
  '/..//{decoy}/',
  '/../../../etc/passwd',
  '/{i}/%2e%2e/%2e%2e/_cluster/settings',
  '/{i}/..%2f..%2f_search',
  '/{i}/%00/_search',
  '/{i}%00/_search?q=bicycle',
  '/{i}/%c0%ae%c0%ae/_search',
  '/%c0%af{i}/_search?q=bicycle',
  '/{i}/_search?q=%ff%fe%fd',
  '/{i}/_search?q=%',
  '/{i}/_search%20?q=x',
  '/{i}/_search%0d%0aX-Injected:%201?q=bicycle',
  '/{i}/_search?q=title:bicycle%0d%0aHost:%20{decoy}',
  '/{i}/_search?source=http://{decoy}/',
  '\\\\{decoy}\\share',
  '@{decoy}/',
  ':80/',
  '*',
  '?',
  '/?/../_search',
  '/%3Chostile-%7Bnow%2Fd%7D%3E/_search?q=title:bicycle',
  '/%3C%7B%7B%7B%7B%3E/_search?q=title:bicycle',
  '/*:*/_search?q=title:bicycle',
  '/{decoy}:{i}/_search?q=title:bicycle',
  '/-a/_search?q=title:bicycle',
  '/../_search?q=title:bicycle',
  '/./_search?q=title:bicycle',
  '/_all,-*/_search?q=title:bicycle',
  '/__proto__/_search?q=title:bicycle',
  '/constructor/_search?q=title:bicycle',
  '/{i}/_search?__proto__=1&constructor=2&q=title:bicycle',
  '/{i}/_search?q=title:bicycle&size=1e309',
  '/{i}/_search?q=title:bicycle&size=99999999999999999999',
  '/{i}/_search?q=title:bicycle&from=-1',
  '/{i}/_search?q=title:bicycle&size=NaN&from=Infinity',
  `/${','.repeat(3_000)}/_search?q=title:bicycle`,
  `/${'{i},'.repeat(100)}/_search?q=title:bicycle`,
  `/{i}/_search?q=${'('.repeat(3_000)}`,
  `/{i}/_search?q=${'*%20OR%20'.repeat(400)}*`,
  `/{i}/_search?${'&'.repeat(3_500)}`,
].map((target) => ({
  name: `target ${target.slice(0, 60)}`,
  pieces: [head(`GET ${target} HTTP/1.1`, HOST)],
  // The absolute form asks us, whatever host it names (RFC 9112 section 3.2.2); the engines do not know it.
  ...(/^https?:/i.test(target) ? { also: 200 } : {}),
}));

const MANNERS: readonly HostileRequest[] = [
  {
    name: 'a head that never ends',
    pieces: ['GET / HTTP/1.1\r\nX-A: ', 30, 'a', 30, 'b', 30, 'c'],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
  {
    name: 'a body that never comes',
    pieces: [head(POST, HOST, JSON_TYPE, 'Content-Length: 100'), 50],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
  {
    name: 'a chunked body that never ends',
    pieces: [head(POST, HOST, JSON_TYPE, CHUNKED), '2\r\n{}\r\n', 50],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
  {
    name: 'a bulk body cut off in a line',
    pieces: [
      head('POST /{i}/_bulk HTTP/1.1', HOST, JSON_TYPE, CHUNKED),
      '1a\r\n{"index":{"_id":"cut"}}\n{"\r\n',
      30,
    ],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
  {
    name: 'a client that leaves while the answer comes',
    pieces: [head('GET /_nodes/stats HTTP/1.1', HOST).repeat(20)],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
  {
    name: 'a client that leaves in its search',
    pieces: [
      head(POST, HOST, JSON_TYPE, 'Content-Length: 41'),
      '{"query":{"match":{"title":"red bicycle"}}}',
    ],
    leave: 'destroy',
    abandons: true,
    waitMs: 50,
  },
  { name: 'nothing at all', pieces: [20], leave: 'destroy', abandons: true, waitMs: 20 },
  {
    name: 'empty lines without end',
    pieces: ['\r\n'.repeat(50_000)],
    leave: 'destroy',
    abandons: true,
    waitMs: 50,
  },
  {
    name: 'half closed after a whole request',
    pieces: [head('GET /{i}/_doc/1 HTTP/1.1', HOST)],
    leave: 'end',
    abandons: true,
    waitMs: 500,
  },
  {
    name: 'half closed in the middle of a head',
    pieces: ['GET /{i}/_doc/1 HT'],
    leave: 'end',
    abandons: true,
    waitMs: 200,
  },
  {
    name: 'half closed in the middle of a body',
    pieces: [head(POST, HOST, JSON_TYPE, 'Content-Length: 100'), '{"query"'],
    leave: 'end',
    abandons: true,
    waitMs: 200,
  },
  {
    name: 'a thousand pipelined requests, unread',
    pieces: [head('GET /{i}/_doc/1 HTTP/1.1', HOST).repeat(1_000)],
    leave: 'destroy',
    abandons: true,
    waitMs: 100,
  },
];

export const HOSTILE_FRAMES: readonly HostileRequest[] = [...SMUGGLING, ...HEADS, ...TARGETS, ...MANNERS];
