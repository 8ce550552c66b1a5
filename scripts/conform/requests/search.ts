/** `_search` in all its parameters. Nothing here changes anything, so it runs without and with settings. */
import { ask, get, send, type ConformRequest, type Family } from '../request.js';

const MATCH = { match: { title: 'bicycle' } };
const OK = { status: 200 };

/** A search of the text that every plain request has in common. */
function search(body: object, target = '/{i}-docs/_search'): ConformRequest {
  return ask(target, { query: MATCH, size: 100, ...body }, OK);
}

/** A page; with settings present its hits are compared with the whole window's. */
function page(from: number, size: number, query: object = MATCH): ConformRequest {
  return ask('/{i}-docs/_search', { query, from, size }, OK);
}

function uriPage(parameters: string, from: number, size: number): ConformRequest {
  return get(`/{i}-docs/_search?${parameters}&from=${from}&size=${size}`, OK);
}

/** Every query type that carries text, and some that carry none. */
const QUERIES: readonly object[] = [
  { match: { title: { query: 'red bicycle', operator: 'and' } } },
  { match: { title: { query: 'bicicle', fuzziness: 'AUTO' } } },
  { match_phrase: { title: 'city bicycle' } },
  { match_phrase_prefix: { title: 'city bic' } },
  { match_bool_prefix: { title: 'city bic' } },
  { multi_match: { query: 'bicycle good', fields: ['title^2', 'body'], type: 'best_fields' } },
  { multi_match: { query: 'bicycle', fields: ['*'], lenient: true } },
  { combined_fields: { query: 'city bicycle', fields: ['title', 'body'] } },
  { query_string: { query: 'title:(red OR blue) AND NOT helmet' } },
  { query_string: { query: 'bicycle', default_field: 'title' } },
  { simple_query_string: { query: '"city bicycle" | helmet', fields: ['title'] } },
  {
    bool: {
      must: [MATCH],
      filter: [{ term: { active: true } }],
      should: [{ term: { brand: 'acme' } }],
      must_not: { term: { stock: 3 } },
    },
  },
  { bool: { should: [MATCH, { match: { body: 'password' } }], minimum_should_match: 1 } },
  { dis_max: { queries: [MATCH, { match: { body: 'bicycle' } }], tie_breaker: 0.3 } },
  { function_score: { query: MATCH, field_value_factor: { field: 'stock', missing: 1, modifier: 'log1p' } } },
  { constant_score: { filter: MATCH, boost: 2 } },
  { boosting: { positive: MATCH, negative: { term: { brand: 'acme' } }, negative_boost: 0.5 } },
  { script_score: { query: MATCH, script: { source: "doc['stock'].value + 1" } } },
  { nested: { path: 'reviews', query: { match: { 'reviews.text': 'good bicycle' } }, score_mode: 'max' } },
  { match: { title: '忘记密码' } },
  { match: { title: '🚲' } },
  { match: { title: 'größe Straßenrad' } },
  { match: { title: '' } },
  { match: { title: 'no such word anywhere' } },
  { match_all: {} },
  { match_none: {} },
  { term: { brand: '上海' } },
  { terms: { tags: ['t1', 't2'] } },
  { range: { price: { gte: 3, lt: 20 } } },
  { exists: { field: 'reviews' } },
  { prefix: { brand: 'ac' } },
  { wildcard: { 'title.raw': '*bicycle*' } },
  { regexp: { brand: 'a.*' } },
  { ids: { values: ['1', '2', '3'] } },
  { geo_distance: { distance: '200km', place: { lat: 41.5, lon: 1.25 } } },
  { more_like_this: { fields: ['body'], like: 'bicycle tyres', min_term_freq: 1, min_doc_freq: 1 } },
  { intervals: { title: { match: { query: 'city bicycle', max_gaps: 2 } } } },
  { fuzzy: { brand: 'acne' } },
  { pinned: { ids: ['1'], organic: MATCH } },
  { nonsense: {} },
  { match: { title: 'a', body: 'b' } },
  { match: 'bicycle' },
];

/** Body keys, each beside the same query. */
const KEYS: readonly object[] = [
  { _source: false },
  { _source: true },
  { _source: 'title' },
  { _source: ['title', 'b*'] },
  { _source: { includes: ['title', 'reviews.*'], excludes: ['*.stars'] } },
  { _source: [] },
  { _source: { excludes: ['title'] } },
  { stored_fields: ['body'] },
  { stored_fields: '_none_' },
  { docvalue_fields: ['price', { field: 'created', format: 'epoch_millis' }] },
  { fields: ['title', 'created', { field: 'price' }] },
  { script_fields: { twice: { script: { source: "doc['stock'].value * 2" } } } },
  { highlight: { fields: { title: {}, body: { type: 'fvh' } }, pre_tags: ['«'], post_tags: ['»'] } },
  { explain: true },
  { version: true },
  { seq_no_primary_term: true },
  { version: true, seq_no_primary_term: true, explain: true },
  { min_score: 0.5 },
  { min_score: 1000 },
  { terminate_after: 5 },
  { timeout: '2s' },
  { track_total_hits: false },
  { track_total_hits: 3 },
  { track_total_hits: true },
  { track_scores: true },
  { size: 0, aggs: { brands: { terms: { field: 'brand' } } } },
  {
    aggs: {
      brands: { terms: { field: 'brand' }, aggs: { p: { avg: { field: 'price' } } } },
      h: { histogram: { field: 'price', interval: 10 } },
    },
  },
  { aggs: { top: { top_hits: { size: 2, _source: ['title'] } } } },
  { aggs: { months: { date_histogram: { field: 'created', calendar_interval: 'month' } } } },
  {
    suggest: {
      s: { text: 'bicicle', term: { field: 'title' } },
      c: { prefix: 'red', completion: { field: 'suggest' } },
    },
  },
  { collapse: { field: 'brand' } },
  { collapse: { field: 'brand', inner_hits: { name: 'others', size: 2 } } },
  { rescore: { window_size: 10, query: { rescore_query: { match: { body: 'city' } } } } },
  { sort: [{ price: 'desc' }] },
  { sort: ['_score'] },
  { sort: [{ _score: 'asc' }] },
  { sort: ['_score', { price: 'asc' }] },
  { sort: [{ price: 'asc' }], search_after: [5.5] },
  { search_after: [1] },
  { profile: true, _source: false },
  { post_filter: { term: { brand: 'velo' } } },
  { indices_boost: [{ '{i}-docs': 1.5 }] },
  { stats: ['group'] },
  { slice: { id: 0, max: 2 } },
  { from: -1 },
  { size: -1 },
  { size: 20_000 },
  { from: 9_990, size: 100 },
  { unknown_key: 1 },
  { size: '3' },
  { size: 1.5 },
  { ext: {} },
];

const NO_STATUS = new Set([
  'pinned',
  'nonsense',
  'combined_fields',
  'fields',
  'stored_fields',
  'from',
  'size',
  'unknown_key',
  'slice',
  'ext',
  'match',
  'search_after',
]);

/** Without the wanted status where engines or tables disagree on purpose. */
function lenient(one: ConformRequest, keys: readonly string[]): ConformRequest {
  if (!keys.some((key) => NO_STATUS.has(key))) return one;
  const { status: _status, ...rest } = one;
  return rest;
}

export const SEARCH_QUERIES: Family = {
  name: 'search: queries',
  cases: QUERIES.map((query) => lenient(search({ query }), Object.keys(query))),
};

export const SEARCH_KEYS: Family = {
  name: 'search: body keys',
  cases: KEYS.map((key) => lenient(search(key), Object.keys(key))),
};

const PARAMETERS: readonly string[] = [
  'q=bicycle',
  'q=title:bicycle&size=50',
  'q=title%3A(red+AND+bicycle)&df=title',
  'q=red+city&default_operator=AND&analyze_wildcard=true&df=title',
  'q=%22city%20bicycle%22&df=title&lenient',
  'q=title:bicycle&_source=false',
  'q=title:bicycle&_source=title,brand',
  'q=title:bicycle&_source_includes=t*&_source_excludes=tags',
  'q=title:bicycle&stored_fields=body',
  'q=title:bicycle&docvalue_fields=price,stock',
  'q=title:bicycle&sort=price:desc',
  'q=title:bicycle&sort=_score',
  'q=title:bicycle&explain=true',
  'q=title:bicycle&version&seq_no_primary_term=true',
  'q=title:bicycle&track_total_hits=false',
  'q=title:bicycle&track_total_hits=2',
  'q=title:bicycle&track_scores=true',
  'q=title:bicycle&rest_total_hits_as_int=true',
  'q=title:bicycle&typed_keys',
  'q=title:bicycle&human',
  'q=title:bicycle&pretty',
  'q=title:bicycle&pretty=true&human=true&size=2',
  'q=title:bicycle&format=yaml',
  'q=title:bicycle&format=cbor',
  'q=title:bicycle&format=smile',
  'q=title:bicycle&format=json',
  'q=title:bicycle&format=xml',
  'q=title:bicycle&filter_path=hits.hits._id,hits.total',
  'q=title:bicycle&filter_path=-hits.hits._source',
  'q=title:bicycle&filter_path=took,hits.max_score',
  'q=title:bicycle&terminate_after=2',
  'q=title:bicycle&timeout=1s',
  'q=title:bicycle&request_cache=true&size=0',
  'q=title:bicycle&preference=_local',
  'q=title:bicycle&routing=x',
  'q=title:bicycle&search_type=dfs_query_then_fetch',
  'q=title:bicycle&search_type=query_then_fetch&batched_reduce_size=2',
  'q=title:bicycle&allow_no_indices=false&expand_wildcards=open',
  'q=title:bicycle&max_concurrent_shard_requests=1&pre_filter_shard_size=1',
  'q=title:bicycle&suggest_field=title&suggest_text=bicicle',
  'q=title:bicycle&min_score=0.5',
  'q=title:bicycle&size=abc',
  'q=title:bicycle&size=2&size=3',
  'q=title:bicycle&bogus=1',
  'q=title:(unclosed',
  'q=title:%zz',
  'q=%E5%AF%86%E7%A0%81&df=title',
  'q=title:bicycle&error_trace=true&size=-5',
  'source=%7B%22query%22%3A%7B%22match%22%3A%7B%22title%22%3A%22bicycle%22%7D%7D%7D&source_content_type=application%2Fjson',
  'source=%7B%22size%22%3A0%7D',
  'scroll=nonsense&q=title:bicycle',
  'ccs_minimize_roundtrips=false&q=title:bicycle',
  '',
];

export const SEARCH_PARAMETERS: Family = {
  name: 'search: parameters',
  cases: PARAMETERS.map((text) => get(`/{i}-docs/_search${text === '' ? '' : `?${text}`}`)),
};

export const SEARCH_PAGES: Family = {
  name: 'search: pages',
  cases: [
    page(0, 1),
    page(0, 3),
    page(1, 1),
    page(3, 5),
    page(10, 10),
    page(47, 10),
    page(60, 10),
    page(0, 0),
    page(99, 1),
    page(100, 10),
    page(0, 10, { match_all: {} }),
    page(5, 7, { match: { body: 'more' } }),
    page(20, 20, { match: { body: 'more' } }),
    uriPage('q=title:bicycle', 0, 2),
    uriPage('q=body:more', 4, 9),
    uriPage('q=body:more', 40, 20),
  ],
};

const BODY = JSON.stringify({ query: MATCH, size: 100 });

export const SEARCH_TARGETS: Family = {
  name: 'search: targets and formats',
  cases: [
    send('GET', '/{i}-docs/_search', BODY, OK),
    ask('/{i}-docs,{i}-more/_search', BODY, OK),
    ask('/{i}-docs%2C{i}-more/_search', BODY, OK),
    ask('/{i}-doc*/_search', BODY, OK),
    ask('/{i}-*,-{i}-more/_search', BODY, OK),
    ask('/{i}-all/_search', BODY, OK),
    ask('/{i}-cheap/_search', BODY, OK),
    ask('/{i}-gr%C3%B6%C3%9Fe-%E7%B4%A2%E5%BC%95/_search', BODY, OK),
    ask('/{i}-more/_search', BODY, OK),
    ask('/%3C{i}-docs%3E/_search', BODY, OK),
    ask('/{i}-none/_search', BODY, { status: 404 }),
    ask('/{i}-none/_search?ignore_unavailable=true', BODY, OK),
    ask('/{i}-none*/_search?allow_no_indices=false', BODY, { status: 404 }),
    ask('/{i}-docs,{i}-none/_search', BODY, { status: 404 }),
    ask('/{i}-docs/_search/', BODY, OK),
    ask('//{i}-docs//_search', BODY),
    ask('/{i}-docs/_search?', BODY, OK),
    ask('/{i}-docs/_search?&&', BODY),
    ask('/{i}-docs/_search', '', OK),
    ask('/{i}-docs/_search', '{}', OK),
    ask('/{i}-docs/_search', '   ', {}),
    ask('/{i}-docs/_search', '{"query":', { status: 400 }),
    ask('/{i}-docs/_search', `${BODY}garbage`, {}),
    ask('/{i}-docs/_search', '[]', {}),
    ask('/{i}-docs/_search', 'null', {}),
    ask('/{i}-docs/_search', '{"query":null}', {}),
    ask('/{i}-docs/_search', '{"size":1,"size":2,"query":{"match":{"title":"bicycle"}}}', {}),
    ask('/{i}-docs/_search', '{ "query" : { "match" : { "title" : "bi\\u0063ycle" } } , "size" : 1e1 }', {}),
    ask('/{i}-docs/_search', '{query:{match:{title:"bicycle"}}}', {}),
    ask('/{i}-docs/_search', `// note\n${BODY}`, {}),
    ask('/{i}-docs/_search', '---\nquery:\n  match:\n    title: bicycle\nsize: 100\n', {
      headers: ['Content-Type: application/yaml'],
      status: 200,
    }),
    ...[
      'application/yaml',
      'application/cbor',
      'application/smile',
      'text/plain',
      'text/html,application/xhtml+xml,*/*;q=0.8',
      'application/json;q=0.5, application/yaml',
      '*/*',
      'application/vnd.opensearch+json',
      'nonsense',
    ].map((accept) =>
      ask('/{i}-docs/_search', BODY, { headers: ['Content-Type: application/json', `Accept: ${accept}`] }),
    ),
    ...[
      'text/json',
      'application/x-www-form-urlencoded',
      'application/json;charset=utf-8',
      'APPLICATION/JSON',
      'application/vnd.elasticsearch+json;compatible-with=7',
      'nonsense',
    ].map((type) => ask('/{i}-docs/_search', BODY, { headers: [`Content-Type: ${type}`] })),
    ask('/{i}-docs/_search', BODY, { headers: [] }),
    ask('/{i}-docs/_search', BODY, {
      headers: ['Content-Type: application/json', 'Accept-Encoding: gzip'],
      status: 200,
    }),
    ask('/{i}-docs/_search', BODY, {
      headers: ['Content-Type: application/json', 'Accept-Encoding: gzip, deflate, br'],
      status: 200,
    }),
    ask('/{i}-docs/_search', BODY, {
      headers: ['Content-Type: application/json', 'Accept-Encoding: gzip;q=0, identity'],
      status: 200,
    }),
    send('PUT', '/{i}-docs/_search', BODY, { status: 405 }),
    send('DELETE', '/{i}-docs/_search', undefined, { status: 405 }),
    send('HEAD', '/{i}-docs/_search', undefined, {}),
    send('OPTIONS', '/{i}-docs/_search', undefined, { status: 200 }),
    ask('/_search?index={i}-docs', BODY, {}),
    get(`/{i}-docs/_search?q=title:bicycle&${'x'.repeat(5_000)}=1`),
    get(`/{i}-docs/_search?q=${'bicycle+'.repeat(450)}`),
  ],
};
