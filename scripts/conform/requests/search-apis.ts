/** The search APIs beside `_search`: many at once, templates, cursors, counting, explaining. */
import { gzipSync } from 'node:zlib';
import { ask, change, get, lines, NDJSON_TYPE, send, type Family } from '../request.js';

const QUERY = { query: { match: { title: 'bicycle' } } };
const WHOLE = { ...QUERY, size: 100 };
const OK = { status: 200 };
const ND = { headers: [NDJSON_TYPE], status: 200 };
const TEMPLATE = {
  source: { query: { match: { title: '{{text}}' } }, size: '{{size}}{{^size}}100{{/size}}' },
  params: { text: 'bicycle' },
};

export const MULTI_SEARCH: Family = {
  name: 'msearch',
  cases: [
    ask('/_msearch', lines({ index: '{i}-docs' }, WHOLE, { index: '{i}-more' }, WHOLE), ND),
    ask('/{i}-docs/_msearch', lines({}, WHOLE, {}, { size: 0 }, {}, { ...WHOLE, sort: ['price'] }), ND),
    ask('/{i}-docs/_msearch', lines({}, WHOLE, { index: '{i}-none' }, WHOLE, {}, WHOLE), ND),
    ask('/{i}-docs/_msearch', lines({}, WHOLE, {}, { query: { nonsense: {} } }), {
      headers: [NDJSON_TYPE],
    }),
    ask('/{i}-docs/_msearch', lines({}, WHOLE, {}, '{"query":'), { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch?pretty', lines({}, WHOLE), ND),
    ask('/{i}-docs/_msearch?rest_total_hits_as_int=true&typed_keys=true', lines({}, WHOLE), ND),
    ask('/{i}-docs/_msearch?filter_path=responses.hits.hits._id', lines({}, WHOLE), ND),
    ask('/{i}-docs/_msearch?max_concurrent_searches=1', lines({}, WHOLE, {}, WHOLE), ND),
    ask('/{i}-docs/_msearch?search_type=dfs_query_then_fetch', lines({}, WHOLE), ND),
    ask('/_msearch', lines({ index: ['{i}-docs', '{i}-more'], preference: '_local' }, WHOLE), ND),
    ask('/_msearch', lines({ index: '{i}-d*', ignore_unavailable: true }, WHOLE), ND),
    ask('/{i}-docs/_msearch', `\n${JSON.stringify(WHOLE)}\n`, { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', lines({}, WHOLE).replaceAll('\n', '\r\n'), { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', `{}\n${JSON.stringify(WHOLE)}`, { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', lines({ bogus: 1 }, WHOLE), { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', '', { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', 'garbage\n', { headers: [NDJSON_TYPE] }),
    ask('/{i}-docs/_msearch', lines({}, WHOLE), OK),
    ask('/{i}-docs/_msearch', lines({}, WHOLE), { headers: ['Content-Type: text/plain'] }),
    ask('/{i}-docs/_msearch', lines({}, WHOLE), { headers: [NDJSON_TYPE, 'Accept: application/yaml'] }),
    ask('/{i}-docs/_msearch', gzipSync(lines({}, WHOLE)), {
      headers: [NDJSON_TYPE, 'Content-Encoding: gzip'],
      status: 200,
    }),
    send('GET', '/{i}-docs/_msearch', lines({}, WHOLE), ND),
    ask(
      '/{i}-docs/_msearch/template',
      lines({}, TEMPLATE, {}, { source: '{"size":0}' }, {}, { id: 'no-such' }),
      { headers: [NDJSON_TYPE] },
    ),
  ],
};

export const TEMPLATES: Family = {
  name: 'search templates',
  cases: [
    ask('/{i}-docs/_search/template', TEMPLATE),
    ask('/{i}-docs/_search/template', {
      source: '{"query":{"match":{"title":"{{text}}"}},"size":100}',
      params: { text: 'bicycle' },
    }),
    send('GET', '/{i}-docs/_search/template', {
      source: '{"query":{"match":{"title":"{{text}}"}},"size":{{n}}}',
      params: { text: '忘记密码', n: 100 },
    }),
    ask('/{i}-docs/_search/template?explain=true&profile=false', {
      source: '{"query":{"match":{"title":"red"}},"size":100}',
    }),
    ask('/{i}-docs/_search/template', { source: '{"broken":{{{text}}' }),
    ask('/{i}-docs/_search/template', '{', { status: 400 }),
    ask('/{i}-docs/_search/template', { id: 'no-such-template' }, { status: 404 }),
    change(
      'PUT',
      '/_scripts/{i}-script',
      { script: { lang: 'mustache', source: { query: { match: { title: '{{t}}' } }, size: 100 } } },
      OK,
    ),
    get('/_scripts/{i}-script', OK),
    ask('/{i}-docs/_search/template', { id: '{i}-script', params: { t: 'bicycle' } }, OK),
    ask('/_render/template', { id: '{i}-script', params: { t: 'bicycle' } }, OK),
    ask('/_render/template', TEMPLATE, OK),
    change('DELETE', '/_scripts/{i}-script', undefined, OK),
    get('/_scripts/{i}-script', { status: 404 }),
  ],
};

export const CURSORS: Family = {
  name: 'scroll and point in time',
  cases: [
    ask(
      '/{i}-docs/_search?scroll=1m',
      { ...QUERY, size: 3 },
      {
        status: 200,
        keep: { name: 'scroll_id', pattern: /"_scroll_id":"([^"]+)"/ },
        mutates: true,
      },
    ),
    change('POST', '/_search/scroll', { scroll: '1m', scroll_id: '{scroll_id}' }, OK),
    change('GET', '/_search/scroll?scroll=1m&scroll_id={scroll_id}', undefined, OK),
    change('DELETE', '/_search/scroll', { scroll_id: ['{scroll_id}'] }, OK),
    change('POST', '/_search/scroll', { scroll: '1m', scroll_id: '{scroll_id}' }, { status: 404 }),
    ask('/_search/scroll', { scroll_id: 'nonsense' }, { status: 400 }),
    change('POST', '/{i}-docs/_search/point_in_time?keep_alive=1m', undefined, {
      keep: { name: 'pit_id', pattern: /"pit_id":"([^"]+)"/ },
    }),
    ask('/_search', { ...QUERY, size: 100, pit: { id: '{pit_id}', keep_alive: '1m' } }),
    ask('/_search', {
      ...QUERY,
      size: 4,
      pit: { id: '{pit_id}', keep_alive: '1m' },
      sort: [{ price: 'asc' }],
      search_after: [3.5],
    }),
    ask('/_search', {
      ...QUERY,
      size: 100,
      pit: { id: '{pit_id}' },
      slice: { id: 0, max: 2 },
      sort: ['_doc'],
    }),
    change('DELETE', '/_search/point_in_time', { pit_id: ['{pit_id}'] }),
    ask('/_search', { pit: { id: 'nonsense' } }),
    ask(
      '/{i}-docs/_search?scroll=1m',
      { slice: { id: 1, max: 2 }, size: 50, sort: ['_doc'] },
      { mutates: true },
    ),
  ],
};

export const AROUND_SEARCH: Family = {
  name: 'count, validate, explain and so on',
  cases: [
    ask('/{i}-docs/_count', QUERY, OK),
    get('/{i}-docs/_count?q=title:bicycle', OK),
    get('/{i}-docs/_count', OK),
    ask('/{i}-docs/_count', '{"query":{"nonsense":{}}}', { status: 400 }),
    ask('/{i}-docs/_validate/query', QUERY, OK),
    ask('/{i}-docs/_validate/query?explain=true', QUERY, OK),
    ask('/{i}-docs/_validate/query?rewrite=true', '{"query":{"match":{"price":"x"}}}', OK),
    get('/{i}-docs/_field_caps?fields=*', OK),
    ask('/{i}-docs/_field_caps?fields=title,price', undefined, OK),
    get('/{i}-docs/_search_shards', OK),
    ask('/{i}-docs/_rank_eval', {
      requests: [
        {
          id: 'a',
          request: QUERY,
          ratings: [{ _index: '{i}-docs', _id: '1', rating: 1 }],
        },
      ],
      metric: { precision: { k: 5 } },
    }),
    ask('/{i}-docs/_analyze', { analyzer: 'standard', text: 'Red Bicycles 密码' }, OK),
    get('/_analyze?pretty', { status: 400 }),
    ask('/_analyze', { tokenizer: 'keyword', filter: ['lowercase'], text: ['Ä Ö', '字'] }, OK),
    ask('/_analyze?format=yaml', { text: 'a b' }, OK),
    get('/{i}-docs/_mapping/field/title', OK),
    ask('/_scripts/painless/_execute', {
      script: { source: 'params.a + params.b', params: { a: 1, b: 2 } },
    }),
    get('/_script_context?filter_path=contexts.name', {}),
    get('/_script_language', {}),
    get('/_remote/info', OK),
  ],
};
