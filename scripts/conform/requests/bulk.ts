/** `_bulk`, `_mget` and the writes over many documents. */
import { gzipSync } from 'node:zlib';
import { ask, change, JSON_TYPE, lines, NDJSON_TYPE, send, type Family } from '../request.js';

const TWO = lines(
  { index: { _index: '{i}-b', _id: '1' } },
  '{"title":"first bicycle"}',
  { index: { _index: '{i}-b', _id: '2' } },
  '{"title":"second"}',
);
const ND = { headers: [NDJSON_TYPE], status: 200 };

const MIXED = lines(
  '{ "index" : { "_index" : "{i}-b", "_id" : "3" } }',
  '{ "title" : "spaced"  }',
  { create: { _index: '{i}-b', _id: '3' } },
  '{"title":"conflict"}',
  { update: { _index: '{i}-b', _id: '1', retry_on_conflict: 2 } },
  '{"doc":{"title":"updated"}}',
  { update: { _index: '{i}-b', _id: '404' } },
  '{"doc":{"a":1}}',
  { delete: { _index: '{i}-b', _id: '2' } },
  { delete: { _index: '{i}-b', _id: '404' } },
  { index: { _index: '{i}-b' } },
  '{"title":"自动编号"}',
);

export const BULK: Family = {
  name: 'bulk and many documents',
  cases: [
    change('POST', '/_bulk', TWO, ND),
    change('PUT', '/_bulk', TWO, ND),
    change('POST', '/_bulk', TWO, { headers: [JSON_TYPE], status: 200 }),
    change('POST', '/{i}-b/_bulk', lines({ index: { _id: '7' } }, '{"title":"seven"}'), ND),
    change('POST', '/{i}-b/_bulk?refresh=true&pretty', lines({ index: { _id: '8' } }, '{"title":"8"}'), ND),
    change('POST', '/_bulk?refresh', MIXED, ND),
    change(
      'POST',
      '/_bulk?filter_path=errors,items.*.status',
      lines({ delete: { _index: '{i}-b', _id: 'x' } }),
      ND,
    ),
    change('POST', '/_bulk?format=yaml', lines({ delete: { _index: '{i}-b', _id: 'x' } }), ND),
    change('POST', '/{i}-b/_bulk?_source=true', lines({ update: { _id: '7' } }, '{"doc":{"n":1}}'), ND),
    change('POST', '/{i}-b/_bulk?require_alias=true', lines({ index: { _id: '9' } }, '{}'), ND),
    change('POST', '/{i}-b/_bulk?pipeline=none-such', lines({ index: { _id: '9' } }, '{"a":1}'), {
      headers: [NDJSON_TYPE],
    }),
    change(
      'POST',
      '/{i}-b/_bulk',
      lines({ index: { _id: '10', routing: 'r' } }, '{"title":"routed","x":"\\u00e9"}'),
      ND,
    ),
    change(
      'POST',
      '/{i}-b/_bulk',
      lines({ index: { _id: '11', version: 5, version_type: 'external' } }, '{}'),
      ND,
    ),
    change(
      'POST',
      '/{i}-b/_bulk',
      lines({ index: { _id: '11', if_seq_no: 0, if_primary_term: 7 } }, '{}'),
      ND,
    ),
    change(
      'POST',
      '/{i}-b/_bulk',
      lines({ update: { _id: '12' } }, '{"script":{"source":"ctx.op=\'none\'"},"upsert":{"t":1}}'),
      ND,
    ),
    change('POST', '/{i}-b/_bulk', `{"index":{"_id":"13"}}\r\n{"title":"carriage return"}\r\n`, ND),
    change('POST', '/{i}-b/_bulk', `{"index":{"_id":"14"}}\n{"title":"no newline at the end"}`, {
      headers: [NDJSON_TYPE],
    }),
    change('POST', '/{i}-b/_bulk', `\n{"index":{"_id":"15"}}\n{"title":"empty line first"}\n`, {
      headers: [NDJSON_TYPE],
    }),
    change('POST', '/{i}-b/_bulk', lines({ index: { _id: '16' } }, '{"title":'), ND),
    change('POST', '/{i}-b/_bulk', lines({ index: { _id: '17' } }), { headers: [NDJSON_TYPE] }),
    change('POST', '/{i}-b/_bulk', lines({ nonsense: { _id: '18' } }, '{}'), {
      headers: [NDJSON_TYPE],
      status: 400,
    }),
    change('POST', '/{i}-b/_bulk', lines({ index: { _id: '18', bogus: 1 } }, '{}'), {
      headers: [NDJSON_TYPE],
      status: 400,
    }),
    change('POST', '/{i}-b/_bulk', 'not json\n', { headers: [NDJSON_TYPE], status: 400 }),
    change('POST', '/{i}-b/_bulk', '', { headers: [NDJSON_TYPE], status: 400 }),
    change('POST', '/{i}-b/_bulk', '\n', { headers: [NDJSON_TYPE] }),
    change('POST', '/{i}-b/_bulk', TWO, { headers: ['Content-Type: text/plain'], status: 406 }),
    change('POST', '/{i}-BAD/_bulk', lines({ index: {} }, '{}'), ND),
    change('POST', '/_bulk', lines({ index: {} }, '{}'), { headers: [NDJSON_TYPE] }),
    change('POST', '/{i}-b/_bulk', gzipSync(lines({ index: { _id: '20' } }, '{"title":"gzip in"}')), {
      headers: [NDJSON_TYPE, 'Content-Encoding: gzip'],
      status: 200,
    }),
    change('POST', '/{i}-b/_bulk', lines({ delete: { _id: '20' } }), {
      headers: [NDJSON_TYPE, 'Accept-Encoding: gzip'],
      status: 200,
    }),
    change('POST', '/{i}-b/_bulk', lines({ delete: { _id: '20' } }), {
      headers: [NDJSON_TYPE, 'Accept: application/yaml'],
      status: 200,
    }),
    change('POST', '/{i}-b/_bulk', lines({ delete: { _id: '20' } }), {
      headers: [NDJSON_TYPE, 'Accept: application/cbor'],
      status: 200,
    }),
    change(
      'POST',
      '/{i}-b/_bulk',
      Array.from({ length: 300 }, (_, n) =>
        lines({ index: { _id: `m${n}` } }, { title: `number ${n}`, pad: 'x'.repeat(5_000) }),
      ).join(''),
      ND,
    ),
    change('POST', '/{i}-b/_refresh', undefined, { status: 200 }),
    ask(
      '/_mget',
      {
        docs: [
          { _index: '{i}-b', _id: '1' },
          { _index: '{i}-none', _id: '2' },
        ],
      },
      { status: 200 },
    ),
    ask('/{i}-docs/_mget', { ids: ['1', '2', '404'] }, { status: 200 }),
    ask('/{i}-docs/_mget?_source=title,brand', { ids: ['1', '2'] }, { status: 200 }),
    ask('/{i}-docs/_mget', { docs: [{ _id: '1', _source: { includes: ['t*'] } }] }, { status: 200 }),
    ask('/{i}-docs/_mget', { docs: [] }, { status: 400 }),
    send('GET', '/{i}-docs/_mget', { ids: ['3'] }, { status: 200 }),
    change(
      'POST',
      '/{i}-b/_update_by_query?refresh=true&conflicts=proceed',
      { query: { prefix: { title: 'first' } }, script: { source: 'ctx._source.seen = true' } },
      { status: 200 },
    ),
    change('POST', '/{i}-b/_update_by_query?max_docs=3', undefined, { status: 200 }),
    change('POST', '/{i}-b/_update_by_query', '{"query":{"nonsense":{}}}', { status: 400 }),
    change('POST', '/{i}-b/_delete_by_query?refresh', '{"query":{"term":{"_id":"m5"}}}', { status: 200 }),
    change('POST', '/{i}-b/_delete_by_query', '{}', { status: 400 }),
    change(
      'POST',
      '/_reindex?refresh=true',
      { source: { index: '{i}-docs', query: { term: { brand: 'acme' } } }, dest: { index: '{i}-copy' } },
      { status: 200 },
    ),
    change(
      'POST',
      '/_reindex',
      { source: { index: '{i}-none' }, dest: { index: '{i}-copy' } },
      { status: 404 },
    ),
    change('POST', '/_reindex', '{"source":{}}', { status: 400 }),
    ask('/{i}-copy/_count', undefined, { status: 200 }),
    ask('/{i}-copy/_search', { sort: [{ price: 'asc' }] }, { status: 200 }),
  ],
};
