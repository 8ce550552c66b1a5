/** From the request line and body to the engine's request, or to the reason for leaving a search alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptsJson, unreadableBody } from '../../../src/rerank/media-types.js';
import { planSearch, readSearch, type RerankPlan } from '../../../src/rerank/plan.js';
import { searchRoute } from '../../../src/rerank/search-route.js';
import type { SettingsOf } from '../../../src/search-engine/index-settings.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';

const MODEL = { fingerprint: '0123456789abcdef', dimensions: 4 };
const INDEX: IndexSettings = {
  ...MODEL,
  textFields: ['title'],
  vectorField: 'vec',
  codec: 'f32',
  model: 'm',
  window: 50,
};
const SETTINGS: SettingsOf = {
  byIndex: new Map([['i', INDEX]]),
  maxResultWindow: 10_000,
  sourcesAreWhole: true,
};
const MATCH = '"query":{"match":{"title":"reset"}}';

/** Plan of a search, or the reason why there is none. */
function plan(target: string, body = `{${MATCH}}`, settings = SETTINGS): RerankPlan | string {
  const route = searchRoute('POST', target);
  assert.ok(route, target);
  const candidate = readSearch(route, Buffer.from(body));
  return typeof candidate === 'string' ? candidate : planSearch(candidate, settings, MODEL);
}

function planned(target: string, body?: string, settings?: SettingsOf): RerankPlan {
  const result = plan(target, body, settings);
  assert.ok(typeof result !== 'string', `${target} ${body ?? ''}: ${String(result)}`);
  return result;
}

describe('a search', () => {
  it('is recognised by its path and method', () => {
    for (const [method, target, index] of [
      ['GET', '/_search', ''],
      ['POST', '/i/_search?size=1', 'i'],
      ['GET', '/a,b*/_search', 'a,b*'],
      ['GET', '/%E7%9B%AE/_search', '目'],
      ['POST', '/%3Clogs-%7Bnow%2Fd%7D%3E/_search', '<logs-{now/d}>'],
    ] as const)
      assert.equal(searchRoute(method, target)?.index, index);
  });

  it('is no search by any other method or path', () => {
    for (const [method, target] of [
      ['PUT', '/i/_search'],
      ['HEAD', '/i/_search'],
      ['DELETE', '/i/_search'],
      ['POST', '/i/_search/template/x'],
      ['POST', '/i/t/_msearch'],
      ['GET', '/i/_search?q=x;sort=price'],
      ['GET', '/i/_search?q=x;scroll=1m&size=5'],
      ['POST', '/i/_search_shards'],
      ['GET', '/_search/scroll'],
      ['GET', '/i/_doc/_search'],
      ['GET', '/i/t/_search'],
      ['GET', '/i'],
      ['GET', '/'],
      ['GET', '/_cat/indices?x=/_search'],
      ['GET', '/%E7%9/_search'],
      ['GET', '/i/_search?q=%zz'],
      ['GET', 'http://other/i/_search'],
    ] as const)
      // prettier-ignore
      assert.equal(searchRoute(method, target), undefined, `${method} ${target}`);
  });

  it('must speak JSON both ways', () => {
    for (const accept of [
      'application/json',
      'application/json; charset=utf-8',
      '*/*',
      'APPLICATION/JSON, text/plain',
      'application/vnd.elasticsearch+json;compatible-with=8',
      'text/html,*/*',
    ])
      assert.ok(acceptsJson(['Accept', accept]), accept);
    for (const accept of ['application/cbor', 'application/smile', 'application/yaml', 'text/plain'])
      assert.ok(!acceptsJson(['Accept', accept]), accept);
    assert.ok(acceptsJson([]));
    for (const [headers, reason] of [
      [[], undefined],
      [['content-type', 'application/json', 'content-encoding', 'identity'], undefined],
      [['content-type', 'application/json', 'Content-Encoding', 'GZIP'], undefined],
      [['content-type', 'application/x-ndjson'], undefined],
      [['Content-Encoding', 'deflate'], 'content_encoding'],
      [['Content-Type', 'application/cbor'], 'format'],
      [['content-type', 'application/x-www-form-urlencoded'], 'format'],
      [['content-length', '5'], 'format'],
    ] as const)
      assert.equal(unreadableBody(headers), reason, headers.join());
  });
});

describe('a search is left alone, with the reason', () => {
  const BODIES: Readonly<Record<string, readonly string[]>> = {
    sort: ['"sort":"date"', '"sort":[{"date":"asc"}]', '"sort":["_score","date"]', '"sort":{"_score":"asc"}', '"sort":[{"_score":{"order":"asc"}}]', '"sort":7'],
    search_after: ['"search_after":[1]'],
    point_in_time: ['"pit":{"id":"x"}'],
    collapse: ['"collapse":{"field":"a"}'],
    rescore: ['"rescore":[]'],
    slice: ['"slice":{"id":0,"max":2}'],
    profile: ['"profile":true', '"profile":"true"'],
    knn: ['"knn":{"field":"v"}'],
    stored_fields: ['"stored_fields":["a"]'],
    size_zero: ['"size":0', '"size":"0"'],
    beyond_window: ['"from":50', '"from":"1000"'],
    max_result_window: ['"from":10,"size":9991'],
    unreadable_body: ['"size":-1', '"size":1.5', '"size":"ten"', '"from":null', '"from":1,"from":2', '"docvalue_fields":"x","_source":false'],
  }; // prettier-ignore
  for (const [reason, bodies] of Object.entries(BODIES))
    it(`${reason} in the body`, () => {
      for (const part of bodies) assert.equal(plan('/i/_search', `{${MATCH},${part}}`), reason, part);
    });

  const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
    scroll: ['scroll=1m'],
    stored_fields: ['stored_fields=a'],
    filter_path: ['filter_path=hits'],
    format: ['format=yaml', 'format=cbor'],
    sort: ['sort=date:asc', 'sort=_score:asc', 'sort=_score,date'],
    size_zero: ['size=0'],
    beyond_window: ['from=50'],
    unreadable_body: ['size=-1', 'from=x', 'size='],
  };
  for (const [reason, queries] of Object.entries(PARAMETERS))
    it(`${reason} in the parameters`, () => {
      for (const query of queries) assert.equal(plan(`/i/_search?${query}`), reason, query);
    });

  it('no_query_text', () => {
    for (const body of [
      '',
      '{}',
      '{"query":{"match_all":{}}}',
      '{"query":{"term":{"a":"b"}}}',
      '{"query":[]}',
      '{"query":"x"}',
    ])
      assert.equal(plan('/i/_search', body), 'no_query_text', body);
    assert.equal(plan('/i/_search?q=*:*'), 'no_query_text');
  });

  it('unreadable_body', () => {
    for (const body of ['[]', '"x"', 'null', '{', 'not json', `{${MATCH}} {}`])
      assert.equal(plan('/i/_search', body), 'unreadable_body', body);
  });

  it('not_configured and other_model', () => {
    assert.equal(plan('/i/_search', undefined, { ...SETTINGS, byIndex: new Map() }), 'not_configured');
    for (const change of [{ fingerprint: 'f'.repeat(16) }, { dimensions: 5 }])
      assert.equal(
        plan('/i/_search', undefined, { ...SETTINGS, byIndex: new Map([['i', { ...INDEX, ...change }]]) }),
        'other_model',
      );
  });

  it('a hostile depth is answered, not crashed on', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    assert.ok(plan('/i/_search', `{${MATCH},"_source":${deep}}`));
    assert.ok(plan('/i/_search', `{${MATCH},"sort":${deep}}`));
    assert.ok(plan('/i/_search', `{"query":${'{"bool":{"must":'.repeat(50_000)}{}${'}}'.repeat(50_000)}}`));
  });
});

describe('the engine is asked', () => {
  it('for the window from its start, all other bytes of the body as they were', () => {
    const body = `{ "from" : 5,\n "size":"10", ${MATCH}, "n": 9007199254740993, "x":1.0 }`;
    const result = planned('/i/_search', body);
    assert.deepEqual(result.window, { from: 5, size: 10, window: 50, fetch: 50 });
    assert.equal(result.body.toString(), body.replace('5', '0').replace('"10"', '50'));
    assert.equal(result.target, '/i/_search');
    assert.equal(result.queryText, 'reset');
  });

  it('with size added where there was none', () => {
    assert.equal(planned('/i/_search').body.toString(), `{"size":50,${MATCH}}`);
    assert.equal(planned('/i/_search?q=reset', '').body.toString(), '{"size":50}');
    assert.equal(planned('/i/_search?q=reset', '{ }').body.toString(), '{"size":50 }');
    assert.equal(planned('/i/_search', `{${MATCH},"size":60,"from":10}`).window.fetch, 70);
  });

  it('with parameters going before the body, and only from and size taken out of the URL', () => {
    const target = '/%69/_search?routing=a%2Fb&from=3&pretty&size=7&preference=x+y&&q=a:%C3%A9';
    const result = planned(target, `{"from":40,"size":2,${MATCH}}`);
    assert.deepEqual(result.window, { from: 3, size: 7, window: 50, fetch: 50 });
    assert.equal(result.target, '/%69/_search?routing=a%2Fb&pretty&preference=x+y&q=a:%C3%A9');
    assert.equal(result.body.toString(), `{"from":0,"size":50,${MATCH}}`);
    assert.equal(result.queryText, 'é');
    assert.equal(planned('/i/_search?size=5&from=1').target, '/i/_search');
  });

  it('for vectors as doc values where _source is not whole', () => {
    for (const [target, part] of [
      ['/i/_search', '"_source":false'],
      ['/i/_search', '"_source":["a"]'],
      ['/i/_search', '"_source":{"excludes":["b"]}'],
      ['/i/_search?_source=false', '"a":1'],
      ['/i/_search?_source_includes=a', '"a":1'],
      ['/i/_search?_source_excludes=a', '"_source":true'],
    ] as const) {
      const result = planned(target, `{${MATCH},${part}}`);
      assert.equal(result.wholeSource, false, part);
      assert.deepEqual(JSON.parse(result.body.toString()).docvalue_fields, [{ field: 'vec' }]);
      assert.deepEqual(result.hide, { inSource: ['vec'], inFields: ['vec'] });
    }
    const kept = planned('/i/_search', undefined, { ...SETTINGS, sourcesAreWhole: false });
    assert.deepEqual(JSON.parse(kept.body.toString()).docvalue_fields, [{ field: 'vec' }]);
  });

  it('for the values of the engine’s own field where they are nowhere else', () => {
    const native = { field: 'knn', type: 'knn_vector', indexed: true } as const;
    const withNative = (values: 'beside' | 'instead'): SettingsOf => ({
      ...SETTINGS,
      byIndex: new Map([['i', { ...INDEX, native: { ...native, values } }]]),
    });
    const asked = (body: string, values: 'beside' | 'instead' = 'instead'): unknown[] => {
      const result = planned('/i/_search', `{${body}${MATCH}}`, withNative(values));
      const { fields, docvalue_fields } = JSON.parse(result.body.toString()) as Record<string, unknown>;
      return [fields, docvalue_fields, result.hide.inSource, result.hide.inFields];
    };
    const [vec, knn] = [{ field: 'vec' }, { field: 'knn' }];
    const ours = ['vec', 'knn'];
    assert.deepEqual(asked(''), [undefined, undefined, ours, ours]);
    assert.deepEqual(asked('"_source":["a"],'), [[knn], [vec], ours, ours]);
    assert.deepEqual(asked('"_source":["a"],', 'beside'), [undefined, [vec], ours, ours]);
    assert.deepEqual(asked('"_source":false,"fields":["a"],'), [[knn, 'a'], [vec], ours, ours]);
    // What a caller names is not asked for again, and is shown where it was named.
    for (const fields of [['knn', 'a'], [{ field: 'knn' }]])
      assert.deepEqual(asked(`"_source":false,"fields":${JSON.stringify(fields)},`), [
        fields,
        [vec],
        ours,
        ['vec'],
      ]);
    assert.deepEqual(asked('"_source":false,"docvalue_fields":["vec"],'), [[knn], ['vec'], ours, ['knn']]);
    assert.deepEqual(asked('"_source":["knn"],'), [[knn], [vec], ['vec'], ours]);
    assert.deepEqual(asked('"fields":["*"],'), [['*'], undefined, ours, ours]);
    assert.equal(
      plan('/i/_search', `{"_source":false,"fields":"a",${MATCH}}`, withNative('instead')),
      'unreadable_body',
    );
    const named = planned('/i/_search?docvalue_fields=a,vec&_source=false', undefined, SETTINGS);
    assert.ok(!named.body.includes('docvalue_fields'));
    assert.deepEqual(named.hide.inFields, []);
  });

  it('for the caller’s own doc values as well', () => {
    for (const [theirs, expected] of [
      ['[]', [{ field: 'vec' }]],
      ['[ "a", {"field":"b","format":"x"} ]', [{ field: 'vec' }, 'a', { field: 'b', format: 'x' }]],
    ] as const) {
      const result = planned('/i/_search', `{"_source":false,"docvalue_fields":${theirs},${MATCH}}`);
      assert.deepEqual(JSON.parse(result.body.toString()).docvalue_fields, expected);
    }
  });

  it('for nothing more where _source is whole', () => {
    for (const [target, part] of [
      ['/i/_search', '"_source":true'],
      ['/i/_search', '"_source":"true"'],
      ['/i/_search?_source=true', '"_source":false'],
      ['/i/_search', '"sort":"_score"'],
      ['/i/_search', '"sort":[{"_score":{"order":"desc"}}]'],
      ['/i/_search', '"sort":[]'],
      ['/i/_search?sort=_score:desc', '"profile":false'],
    ] as const) {
      const result = planned(target, `{${MATCH},${part}}`);
      assert.ok(result.wholeSource);
      assert.ok(!result.body.includes('docvalue_fields'));
      assert.deepEqual(result.hide, { inSource: ['vec'], inFields: ['vec'] });
    }
  });

  it('and the vector is shown to a caller who names it', () => {
    for (const [target, part] of [
      ['/i/_search', '"_source":["title","vec"]'],
      ['/i/_search', '"_source":{"includes":"vec"}'],
      ['/i/_search?_source_includes=vec', '"a":1'],
    ] as const)
      assert.deepEqual(planned(target, `{${MATCH},${part}}`).hide.inSource, [], part);
  });

  it('for the largest window and the vector fields of the indices that fit the model', () => {
    const byIndex = new Map([
      ['a', INDEX],
      ['b', { ...INDEX, window: 80, vectorField: 'w' }],
      ['c', { ...INDEX, window: 500, vectorField: 'x', fingerprint: 'f'.repeat(16) }],
    ]);
    const result = planned('/_search', `{${MATCH},"_source":false}`, { ...SETTINGS, byIndex });
    assert.equal(result.window.window, 80);
    assert.deepEqual(JSON.parse(result.body.toString()).docvalue_fields, [{ field: 'vec' }, { field: 'w' }]);
    assert.equal(planned('/i/_search', undefined, { ...SETTINGS, maxResultWindow: 20 }).window.window, 20);
  });
});
