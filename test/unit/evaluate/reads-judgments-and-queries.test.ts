import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQrels } from '../../../src/evaluate/qrels.js';
import { parseQueries } from '../../../src/evaluate/queries.js';
import { checkTemplate, searchBody } from '../../../src/evaluate/search-body.js';

describe('judgments', () => {
  it('are read from tab-separated lines with a header', () => {
    const qrels = parseQrels(
      '\uFEFFquery-id\tcorpus-id\tscore\r\nq 1\td 1\t2\r\nq 1\td2\t0\nq2\td1\t-1',
      'x',
    );
    assert.deepEqual([...qrels.keys()], ['q 1', 'q2']);
    assert.deepEqual(
      [...(qrels.get('q 1') ?? [])],
      [
        ['d 1', 2],
        ['d2', 0],
      ],
    );
    assert.equal(qrels.get('q2')?.get('d1'), 0);
  });

  it("are read from TREC's four columns", () => {
    const qrels = parseQrels('301 0 FR940202-2-00150 1\n301 0 FR940104-0-00001 0\n', 'x');
    assert.deepEqual(
      [...(qrels.get('301') ?? [])],
      [
        ['FR940202-2-00150', 1],
        ['FR940104-0-00001', 0],
      ],
    );
  });

  it('that cannot be read are named by line', () => {
    assert.throws(() => parseQrels('q\td\t1\nq\td\tgood\n', 'my.tsv'), /my\.tsv:2: expected/);
    assert.throws(() => parseQrels('q\td\n', 'my.tsv'), /my\.tsv:1: expected/);
    assert.throws(() => parseQrels('query-id\tcorpus-id\tscore\n', 'my.tsv'), /no judgments/);
  });
});

describe('queries', () => {
  it('are read from JSON lines under either name, and from tab-separated lines', () => {
    const content = '\uFEFF{"_id":"a","text":"x"}\r\n{"id":7,"query":"输液"}\n\nq3\twhat is\tthis';
    assert.deepEqual(parseQueries(content, 'x'), [
      { id: 'a', text: 'x' },
      { id: '7', text: '输液' },
      { id: 'q3', text: 'what is\tthis' },
    ]);
  });

  it('that cannot be read or repeat an id are named by line', () => {
    assert.throws(
      () => parseQueries('{"_id":"a","text":"x"}\n{"_id":"a","text":"y"}', 'q.jsonl'),
      /q\.jsonl:2: .*used twice/,
    );
    assert.throws(() => parseQueries('{"_id":"a"}', 'q.jsonl'), /q\.jsonl:1: expected/);
    assert.throws(() => parseQueries('\n', 'q.jsonl'), /no queries/);
  });
});

describe('the search body', () => {
  const shape = { fields: ['title'], size: 100, template: null, sourceFields: [] };

  it('matches one field, or several', () => {
    assert.deepEqual(JSON.parse(searchBody('a "b"', shape)), {
      query: { match: { title: 'a "b"' } },
      size: 100,
      _source: false,
    });
    assert.deepEqual(
      JSON.parse(searchBody('x', { ...shape, fields: ['title', 'body^2'], sourceFields: ['title'] })),
      {
        query: { multi_match: { query: 'x', fields: ['title', 'body^2'] } },
        size: 100,
        _source: ['title'],
      },
    );
  });

  it('fills a template with the text escaped, replacement patterns included', () => {
    const template = checkTemplate('{"query":{"query_string":{"query":"+{{query}}"}},"n":1.0}');
    const text = 'say "hi" \\ $& $1 \n end';
    const body = searchBody(text, { ...shape, template });
    assert.equal(
      (JSON.parse(body) as { query: { query_string: { query: string } } }).query.query_string.query,
      `+${text}`,
    );
    assert.ok(body.endsWith('"n":1.0}'));
  });

  it('refuses a template without the placeholder or with it outside a string', () => {
    assert.throws(() => checkTemplate('{"query":{}}'), /has no \{\{query\}\}/);
    assert.throws(() => checkTemplate('{"query":{{query}}}'), /must stand inside a string/);
  });
});
