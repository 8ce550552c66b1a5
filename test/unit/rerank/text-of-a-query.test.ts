/** What a user typed, found in the query DSL. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainQueryString, plainSimpleQueryString } from '../../../src/rerank/query-string-text.js';
import { QUERY_TEXT, queryText } from '../../../src/rerank/query-text.js';

const MATCH = { match: { title: 'x' } };

describe('text of a query', () => {
  const CASES: Readonly<Record<string, readonly [query: unknown, text: string | undefined][]>> = {
    match: [[{ match: { title: 'reset password' } }, 'reset password'], [{ match: { title: { query: 'x', operator: 'and' } } }, 'x'], [{ match: { n: 7 } }, '7'], [{ match: { b: { query: true } } }, 'true']],
    match_phrase: [[{ match_phrase: { a: { query: 'x y', slop: 1 } } }, 'x y']],
    match_phrase_prefix: [[{ match_phrase_prefix: { a: 'x' } }, 'x']],
    match_bool_prefix: [[{ match_bool_prefix: { a: { query: 'x' } } }, 'x']],
    multi_match: [[{ multi_match: { query: '重置密码', fields: ['a', 'b'] } }, '重置密码']],
    combined_fields: [[{ combined_fields: { query: 'x', fields: ['a'] } }, 'x']],
    query_string: [[{ query_string: { query: 'title:(reset AND "my password") -admin' } }, 'reset my password']],
    simple_query_string: [[{ simple_query_string: { query: '+reset | "my password"~2 -admin' } }, 'reset my password']],
    neural: [[{ neural: { v: { query_text: 'x', model_id: 'm' } } }, 'x']],
    bool: [[{ bool: { must: [{ match: { a: 'x' } }, { match: { b: 'y' } }], should: { match: { c: 'z' } } } }, 'x y z'], [{ bool: { filter: [MATCH], must_not: MATCH } }, undefined]],
    dis_max: [[{ dis_max: { queries: [MATCH, { match: { b: 'y' } }, MATCH] } }, 'x y']],
    hybrid: [[{ hybrid: { queries: [MATCH] } }, 'x']],
    function_score: [[{ function_score: { query: MATCH, functions: [{ filter: { match: { a: 'no' } } }] } }, 'x']],
    script_score: [[{ script_score: { query: MATCH, script: { source: 'no' } } }, 'x']],
    constant_score: [[{ constant_score: { filter: MATCH } }, 'x']],
    nested: [[{ nested: { path: 'p', query: { bool: { must: [{ nested: { path: 'q', query: MATCH } }] } } } }, 'x']],
    boosting: [[{ boosting: { positive: MATCH, negative: { match: { a: 'no' } } } }, 'x']],
  }; // prettier-ignore

  it('every row of the table is tested', () => {
    assert.deepEqual(Object.keys(CASES).sort(), Object.keys(QUERY_TEXT).sort());
  });
  for (const [type, cases] of Object.entries(CASES))
    it(type, () => {
      for (const [query, text] of cases) assert.equal(queryText(query), text, JSON.stringify(query));
    });

  it('is none in what has none, of whatever form', () => {
    for (const query of [
      undefined,
      null,
      1,
      'x',
      [],
      [MATCH],
      {},
      { match_all: {} },
      { term: { a: 'b' } },
      { ids: { values: ['1'] } },
      { unknown: MATCH },
      { match: null },
      { match: 'x' },
      { match: [] },
      { match: {} },
      { match: { a: '  ' } },
      { match: { a: { query: null } } },
      { match: { a: { query: { query: 'x' } } } },
      { bool: [] },
      { bool: { must: 'x' } },
      { bool: { must: [[MATCH]] } },
      { multi_match: { query: ['x'] } },
    ])
      // prettier-ignore
      assert.equal(queryText(query), undefined, JSON.stringify(query));
  });

  it('hostile keys are not looked up on prototypes', () => {
    for (const text of [
      '{"__proto__":{"match":{"a":"x"}}}',
      '{"constructor":{"query":"x"}}',
      '{"toString":{"query":"x"}}',
      '{"bool":{"__proto__":{"must":{"match":{"a":"x"}}}}}',
      '{"hasOwnProperty":{"query":"x"}}',
    ])
      assert.equal(queryText(JSON.parse(text)), undefined, text);
    assert.equal(queryText(JSON.parse('{"match":{"__proto__":"x"}}')), 'x');
  });

  it('a depth bomb gives what lies near the surface', () => {
    const bomb = `{"bool":{"must":[{"match":{"a":"near"}},${'{"bool":{"must":'.repeat(100_000)}{"match":{"a":"far"}}${'}}'.repeat(100_000)}]}}`;
    assert.equal(queryText(JSON.parse(bomb)), 'near');
  });
});

describe('plain words', () => {
  it('of a query string', () => {
    for (const [query, words] of [
      ['reset password', 'reset password'],
      ['title:reset AND body:"forgot it"^2', 'reset forgot it'],
      ['(quick OR brown) AND fox~1', 'quick brown fox'],
      ['NOT a b', 'b'],
      ['!a -b +c', 'c'],
      ['a && b || c', 'a b c'],
      ['how\\:to \\"x\\"', 'how:to x'],
      ['my-field:x @timestamp:y a\\ b:z', 'x y z'],
      ['pass* a.b.*:x', 'pass x'],
      ['https://example.org/x', 'https://example.org/x'],
      ['标题:重置密码', '重置密码'],
      ['怎么 重置 密码', '怎么 重置 密码'],
      ['*:*', ''],
      ['', ''],
      ['"unclosed quote', 'unclosed quote'],
      ['\\', '\\'],
      ['e-mail C++ 3.5', 'e-mail C++ 3.5'],
    ] as const)
      assert.equal(plainQueryString(query), words, query);
  });

  it('of a simple query string', () => {
    for (const [query, words] of [
      ['a + b | -c d~2', 'a b d'],
      ['NOT a AND b', 'NOT a AND b'],
      ['title:x', 'title:x'],
      ['"a phrase"~3 pre*', 'a phrase pre'],
    ] as const)
      assert.equal(plainSimpleQueryString(query), words, query);
  });

  it('are found in one pass over long and hostile text', () => {
    for (const part of ['~', '~1', '"', '\\', '(', 'a:', '^ ', '-', '* '])
      assert.equal(typeof plainQueryString(part.repeat(100_000)), 'string');
  });
});
