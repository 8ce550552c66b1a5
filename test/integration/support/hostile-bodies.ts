/** Requests that are well framed and hostile by their bodies. */
import { gzipSync } from 'node:zlib';
import type { HostileRequest } from './hostile-wire.js';

const MB = 1024 * 1024;

interface Kind {
  readonly path: string;
  readonly type: string;
}

const SEARCH: Kind = { path: '/{i}/_search', type: 'application/json' };
const MSEARCH: Kind = { path: '/{i}/_msearch', type: 'application/x-ndjson' };
const TEMPLATE: Kind = { path: '/{i}/_search/template', type: 'application/json' };
const BULK: Kind = { path: '/{i}/_bulk', type: 'application/x-ndjson' };
const DOC: Kind = { path: '/{i}/_doc/hostile', type: 'application/json' };

function post(
  kind: Kind,
  name: string,
  body: string | Buffer,
  headers: readonly string[] = [],
): HostileRequest {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8');
  const lines = [
    `POST ${kind.path} HTTP/1.1`,
    'Host: {host}',
    ...(headers.some((line) => /^content-type:/i.test(line)) ? [] : [`Content-Type: ${kind.type}`]),
    ...headers,
    `Content-Length: ${bytes.length}`,
  ];
  return {
    name: `${kind.path.slice(4)}: ${name}`,
    pieces: [`${lines.join('\r\n')}\r\n\r\n`, bytes],
    waitMs: 20_000,
    // A document that is written three times is made once.
    ...(kind === DOC ? { also: 200 } : {}),
  };
}

const QUERY = '"query":{"match":{"title":"bicycle"}}';
const nested = (open: string, close: string, depth: number, inner = ''): string =>
  open.repeat(depth) + inner + close.repeat(depth);

const SEARCHES: readonly (readonly [string, string | Buffer, ...string[]])[] = [
  ['an array 1,000 deep', nested('[', ']', 1_000)],
  ['an object 10,000 deep', `{"query":${nested('{"a":', '}', 10_000, '1')}}`],
  [
    'a bool query 2,000 deep',
    `{"query":${nested('{"bool":{"must":', '}}', 2_000, '{"match":{"title":"a"}}')}}`,
  ],
  ['a source filter 50,000 deep', `{${QUERY},"_source":${nested('[', ']', 50_000)}}`],
  ['10 MB of brackets', '['.repeat(9 * MB)],
  ['10 MB of braces', '{"a":'.repeat(1_800_000)],
  ['10 MB of one string', `{"query":{"match":{"title":"${'a'.repeat(9 * MB)}"}}}`],
  [
    'a query of 1 MB of words',
    `{"query":{"match":{"title":{"query":"${'bicycle '.repeat(130_000)}","max_expansions":1}}}}`,
  ],
  ['a query of 100 KB without spaces', `{"query":{"match":{"title":"${'字'.repeat(33_000)}"}}}`],
  ['100,000 keys', `{${QUERY},"_source":[${Array.from({ length: 100_000 }, (_, n) => `"k${n}"`).join()}]}`],
  ['keys that come twice', `{${QUERY},${QUERY},"size":1,"size":2}`],
  ['__proto__', `{"__proto__":{"size":5},${QUERY}}`],
  ['constructor.prototype', `{"constructor":{"prototype":{"size":5}},${QUERY}}`],
  ['a field named __proto__', '{"query":{"match":{"__proto__":"bicycle"}}}'],
  ['a query named toString', '{"query":{"toString":{"title":"bicycle"}}}'],
  ['a huge from', `{${QUERY},"from":9007199254740993}`],
  ['a huge size', `{${QUERY},"size":2147483648}`],
  ['a negative size', `{${QUERY},"size":-2147483648}`],
  ['a size beyond numbers', `{${QUERY},"size":1e309}`],
  ['a size of a fraction', `{${QUERY},"size":0.1}`],
  ['a size of text', `{${QUERY},"size":"ten"}`],
  ['a size of an array', `{${QUERY},"size":[10]}`],
  ['a size of an object', `{${QUERY},"size":{"value":10}}`],
  ['from and size that overflow together', `{${QUERY},"from":2147483647,"size":2147483647}`],
  ['a query of null', '{"query":null}'],
  ['a query of an array', '{"query":[{"match":{"title":"a"}}]}'],
  ['a query text of an object', '{"query":{"match":{"title":{"query":{"a":1}}}}}'],
  ['a query text of a number', '{"query":{"match":{"title":1e400}}}'],
  ['a query text of null', '{"query":{"match":{"title":null}}}'],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"bicycle"'],
  ['an empty array', '[]'],
  ['truncated', `{${QUERY}`],
  ['truncated in an escape', '{"query":{"match":{"title":"\\u00'],
  ['two documents', `{${QUERY}}{${QUERY}}`],
  ['a byte order mark', Buffer.from(`\ufeff{${QUERY}}`, 'utf8')],
  ['UTF-16', Buffer.from(`\ufeff{${QUERY}}`, 'utf16le')],
  ['UTF-32', Buffer.from([...`{${QUERY}}`].flatMap((c) => [0, 0, 0, c.charCodeAt(0)]))],
  ['invalid UTF-8', Buffer.from('{"query":{"match":{"title":"\xff\xfe\xc0\x80"}}}', 'latin1')],
  ['overlong UTF-8', Buffer.from('{"query":{"match":{"title":"\xc0\xaf"}}}', 'latin1')],
  ['a lone surrogate escape', '{"query":{"match":{"title":"\\ud800"}}}'],
  ['a NUL escape', '{"query":{"match":{"title":"\\u0000"}}}'],
  ['a NUL byte', '{"query":{"match":{"title":"a\0b"}}}'],
  ['NUL bytes only', Buffer.alloc(1_000)],
  ['control characters in a string', '{"query":{"match":{"title":"a\nb\tc"}}}'],
  ['comments', `/* a */{${QUERY}}// b`],
  ['single quotes', "{'query':{'match':{'title':'bicycle'}}}"],
  ['NaN and Infinity', `{${QUERY},"min_score":NaN,"size":Infinity}`],
  ['gzip that is none', `{${QUERY}}`, 'Content-Encoding: gzip'],
  ['gzip cut off', gzipSync(`{${QUERY}}`).subarray(0, 20), 'Content-Encoding: gzip'],
  ['a gzip bomb', gzipSync(Buffer.alloc(200 * MB, 0x20)), 'Content-Encoding: gzip'],
  ['gzip twice', gzipSync(gzipSync(`{${QUERY}}`)), 'Content-Encoding: gzip, gzip'],
  ['an encoding that nobody knows', `{${QUERY}}`, 'Content-Encoding: snappy'],
  ['JSON called YAML', `{${QUERY}}`, 'Content-Type: application/yaml'],
  ['JSON called CBOR', `{${QUERY}}`, 'Content-Type: application/cbor'],
  ['JSON called a form', `{${QUERY}}`, 'Content-Type: application/x-www-form-urlencoded'],
  ['a content type of noise', `{${QUERY}}`, 'Content-Type: ;;;/,,'],
  ['rerank text of an object', `{${QUERY},"ext":{"rerank":{"query_context":{"query_text":{"a":1}}}}}`],
  [
    'a path of rerank text into nowhere',
    `{${QUERY},"ext":{"rerank":{"query_context":{"query_text_path":"__proto__.x"}}}}`,
  ],
  [
    'an upstream of its own',
    `{${QUERY},"ext":{"twinrank":{"upstream":"http://{decoy}/","url":"http://{decoy}/"}}}`,
  ],
  ['a window beyond all', `{${QUERY},"ext":{"twinrank":{"window":1e9}}}`],
  [
    'the vector field asked for',
    `{${QUERY},"_source":"twinrank_vector","docvalue_fields":["twinrank_vector"]}`,
  ],
  ['the vector field as the query', '{"query":{"match":{"twinrank_vector":"AQKA"}}}'],
];

const BULKS: readonly (readonly [string, string | Buffer, ...string[]])[] = [
  ['no JSON', 'this is no bulk body\n'],
  ['one line of 5 MB without an end', `{"index":{"_id":"${'l'.repeat(5 * MB)}`],
  ['an unknown action', '{"explode":{"_id":"1"}}\n{"title":"a"}\n'],
  ['an action of an array', '[{"index":{}}]\n{"title":"a"}\n'],
  ['an action of null', 'null\n{"title":"a"}\n'],
  ['two actions in a line', '{"index":{"_id":"1"},"delete":{"_id":"1"}}\n{"title":"a"}\n'],
  ['a source of an array', '{"index":{"_id":"h1"}}\n["title"]\n'],
  ['a source of a number', '{"index":{"_id":"h2"}}\n5\n'],
  ['a source that is deep', `{"index":{"_id":"h3"}}\n${nested('{"title":', '}', 500, '"a"')}\n`],
  ['a title that is deep', `{"index":{"_id":"h4"}}\n{"title":${nested('[', ']', 5_000, '"a"')}}\n`],
  ['a title of an object', '{"index":{"_id":"h5"}}\n{"title":{"query":"a"}}\n'],
  ['two titles', '{"index":{"_id":"h6"}}\n{"title":"a","title":"b"}\n'],
  ['NUL bytes', '{"index":{"_id":"h7"}}\n{"title":"a\0b"}\n\0\0\0\n'],
  ['invalid UTF-8', Buffer.from('{"index":{"_id":"h8"}}\n{"title":"\xff\xfe"}\n', 'latin1')],
  ['a vector of garbage', '{"index":{"_id":"h9"}}\n{"title":"a","twinrank_vector":"!!! not base64 !!!"}\n'],
  ['a vector of an object', '{"index":{"_id":"h10"}}\n{"title":"a","twinrank_vector":{"a":[1]}}\n'],
  [
    'a vector that comes twice',
    '{"index":{"_id":"h11"}}\n{"twinrank_vector":"AAAA","title":"a","twinrank_vector":"AAAA"}\n',
  ],
  ['an index of another kind', '{"index":{"_index":["a","b"],"_id":"1"}}\n{"title":"a"}\n'],
  ['an index with a path', '{"index":{"_index":"../../{i}","_id":"1"}}\n{"title":"a"}\n'],
  ['an action without its source', '{"index":{"_id":"h12"}}\n'],
  ['100,000 empty lines', '\n'.repeat(100_000)],
  ['20,000 deletes of nothing', '{"delete":{"_id":"none"}}\n'.repeat(20_000)],
  ['gzip that is none', '{"delete":{"_id":"none"}}\n', 'Content-Encoding: gzip'],
  ['a gzip bomb of one line', gzipSync(Buffer.alloc(150 * MB, 0x20)), 'Content-Encoding: gzip'],
  ['a byte order mark', Buffer.from('\ufeff{"index":{"_id":"h13"}}\n{"title":"a"}\n', 'utf8')],
];

const OTHERS: readonly HostileRequest[] = [
  post(MSEARCH, 'no JSON', 'noise\nnoise\n'),
  post(MSEARCH, 'a header of an array', `[]\n{${QUERY}}\n`),
  post(MSEARCH, '2,000 searches', `{}\n{"size":0,${QUERY}}\n`.repeat(2_000)),
  post(MSEARCH, 'an odd number of lines', `{}\n{${QUERY}}\n{}\n`),
  post(MSEARCH, 'a line of 5 MB', `{}\n{"query":{"match":{"title":"${'a'.repeat(5 * MB)}"}}}\n`),
  post(TEMPLATE, 'a template without end', '{"source":"{{#a}}{{#b}}","params":{"a":[1]}}'),
  post(TEMPLATE, 'a template that includes itself', '{"source":"{{>self}}","params":{}}'),
  post(
    TEMPLATE,
    'parameters of __proto__',
    '{"source":"{\\"query\\":{\\"match\\":{\\"title\\":\\"{{t}}\\"}}}","params":{"__proto__":{"t":"x"}}}',
  ),
  post(DOC, 'a document of an array', '[1]'),
  post(DOC, 'a document 20,000 deep', nested('{"a":', '}', 20_000, '1')),
  post(DOC, 'a title of 5 MB', `{"title":"${'bicycle '.repeat(655_360)}"}`),
  post(DOC, 'a document of noise', Buffer.from(Array.from({ length: 5_000 }, (_, n) => (n * 131 + 7) % 256))),
  post(DOC, 'a gzip bomb', gzipSync(Buffer.alloc(150 * MB, 0x20)), ['Content-Encoding: gzip']),
];

export const HOSTILE_BODIES: readonly HostileRequest[] = [
  ...SEARCHES.map(([name, body, ...headers]) => post(SEARCH, name, body, headers)),
  ...BULKS.map(([name, body, ...headers]) => post(BULK, name, body, headers)),
  ...OTHERS,
];
