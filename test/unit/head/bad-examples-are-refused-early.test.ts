import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atSeveralRanks, hitItems, listItems } from '../../../src/evaluate/head/list-rows.js';
import { trainableQueries, unknownDocumentsWarning } from '../../../src/evaluate/head/lists-check.js';
import { checkPairs } from '../../../src/evaluate/head/pairs-check.js';
import { parsePairs, type LabelledPair } from '../../../src/evaluate/head/pairs-file.js';

const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error: Error & { code: string }) => {
    assert.equal(error.code, 'bad_input_file');
    assert.match(error.message, message);
    return true;
  });

describe('a file of pairs', () => {
  const expected = [
    { textA: 'red, "new"', textB: 'rot', label: 1 },
    { textA: 'car', textB: 'tree', label: 0 },
  ];
  for (const [name, content] of [
    ['a.tsv', 'red, "new"\trot\t1\ncar\ttree\t0\n'],
    ['a.txt', '\uFEFFtext_a\ttext_b\tlabel\r\nred, "new"\trot\t1\r\ncar\ttree\t0'],
    ['a.tsv.gz', 'id\tlabel\ttext_b\ttext_a\n7\t1\trot\tred, "new"\n8\t0\ttree\tcar\n'],
    ['a.csv', 'text_a,text_b,label\n"red, ""new""",rot,1\n\ncar,tree,0\n'],
    ['a.csv', '"red, ""new""",rot,1.0\r\ncar,tree,0'],
    [
      'a.jsonl',
      '{"text_a":"red, \\"new\\"","text_b":"rot","label":1}\n{"text_a":"car","text_b":"tree","label":"0"}\n',
    ],
  ] as const) {
    it(`is read as ${name}: ${JSON.stringify(content.slice(0, 24))}`, () => {
      const pairs = parsePairs(content, name).map(({ textA, textB, label }) => ({ textA, textB, label }));
      assert.deepEqual(pairs, expected);
    });
  }

  it('may have line ends in quoted cells, and says the right line afterwards', () => {
    assert.deepEqual(parsePairs('"a\nb",c,1\nd,e,0\n', 'p.csv')[1], {
      line: 3,
      textA: 'd',
      textB: 'e',
      label: 0,
    });
    refused(() => parsePairs('"a\nb",c,1\nd,,0\n', 'p.csv'), /p\.csv:3: text_b is empty/);
    refused(() => parsePairs('a,b,1\n"c,d,0\n', 'p.csv'), /p\.csv:2: .*quote/);
  });

  for (const [content, name, message] of [
    ['a\tb\t2\n', 'p.tsv', /p\.tsv:1: the label is "2"; expected 1 \(similar\) or 0/],
    ['a\tb\t1\na\tb\tyes\n', 'p.tsv', /p\.tsv:2: the label is "yes"/],
    [' \tb\t1\n', 'p.tsv', /p\.tsv:1: text_a is empty/],
    ['a\tb\n', 'p.tsv', /expected 3 columns, got 2; without a header/],
    ['{"text_a":"a","text_b":"b"}', 'p.jsonl', /p\.jsonl:1: expected \{"text_a"/],
    ['no', 'p.jsonl', /p\.jsonl:1: this is not JSON/],
    ['a\tb\t1\n', 'p.xlsx', /unknown kind of file/],
  ] as const) {
    it(`is refused: ${JSON.stringify(content)} as ${name}`, () =>
      refused(() => parsePairs(content, name), message));
  }
});

describe('pairs', () => {
  const many = (count: number, label: 0 | 1): LabelledPair[] =>
    Array.from({ length: count }, (_, i) => ({
      line: i + 1,
      textA: `a${i}`,
      textB: `b${label}-${i}`,
      label,
    }));

  it('of one label, or too few of one, are refused with what would be enough', () => {
    refused(() => checkPairs([], 'p'), /holds no pairs.*At least 50.*1000 of each/s);
    refused(
      () => checkPairs(many(500, 1), 'p'),
      /every label is 1\. Add pairs that are not similar.*At least 50/s,
    );
    refused(() => checkPairs(many(500, 0), 'p'), /every label is 0\. Add similar pairs/);
    refused(
      () => checkPairs([...many(500, 0), ...many(49, 1)], 'p'),
      /only 49 of 549 pairs have the label 1\. At least 50/,
    );
  });

  it('with both labels are left out, repeated ones used once, and both are said', () => {
    const pairs = [...many(100, 0), ...many(100, 1)];
    const clash: LabelledPair = { line: 900, textA: 'a3', textB: 'b1-3 ', label: 0 };
    const { pairs: kept, warnings } = checkPairs([...pairs, pairs[5] as LabelledPair, clash], 'p');
    assert.equal(kept.length, 199);
    assert.ok(!kept.some(({ textB }) => textB.startsWith('b1-3') && textB.trim() === 'b1-3'));
    assert.match(
      warnings.join('\n'),
      /1 pairs stand there more than once.*\n.*1 pairs have both labels.*line 900/,
    );
  });
});

describe('judgments', () => {
  const queries = Array.from({ length: 40 }, (_, i) => ({ id: `q${i}`, text: 'x' }));
  const qrels = (count: number, grade: number) =>
    new Map(queries.slice(0, count).map(({ id }) => [id, new Map([['d', grade]])]));

  it('of too few queries are refused with what would be enough', () => {
    assert.equal(trainableQueries(queries, qrels(35, 1), 'q', 'j').length, 35);
    refused(
      () => trainableQueries(queries, qrels(29, 1), 'q', 'j'),
      /29 are judged.*29 have a relevant.*At least 30.*200/s,
    );
    refused(
      () => trainableQueries(queries, qrels(40, 0), 'q', 'j'),
      /40 are judged in j and 0 have a relevant/,
    );
    refused(
      () => trainableQueries(queries, new Map([['z', new Map()]]), 'q', 'j'),
      /Do the query ids .* agree/,
    );
  });

  it('of unknown documents are counted with the first few, and refused where they are most', () => {
    const unknown = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6'];
    assert.equal(unknownDocumentsWarning({ judged: 9, unknown: [] }, 'j', 'i'), null);
    assert.match(
      unknownDocumentsWarning({ judged: 13, unknown }, 'j', 'i') ?? '',
      /6 of 13 .*\(d1, d2, d3, d4, d5, \.\.\.\)/,
    );
    refused(() => unknownDocumentsWarning({ judged: 12, unknown }, 'j', 'i'), /6 of 12.*right index/);
  });
});

describe('negatives', () => {
  const hits = Array.from({ length: 100 }, (_, i) => `h${i}`);

  it('are judged zeros first, then hits that nobody judged, but not the very first', () => {
    const judgments = new Map([
      ['h0', 2],
      ['h9', 0],
      ['x', 0],
    ]);
    const items = listItems(judgments, hits, 6);
    const grade = (wanted: number | null) =>
      items.filter((item) => item.grade === wanted).map(({ id }) => id);
    assert.deepEqual(grade(2), ['h0']);
    assert.deepEqual(grade(0).sort(), ['h9', 'x']);
    assert.equal(grade(null).length, 4);
    assert.ok(!grade(null).some((id) => ['h1', 'h2'].includes(id)));
    assert.equal(listItems(judgments, hits, 2).length, 3, 'enough zeros are judged');
  });

  it('stand among the hits as the head will meet them, but for the very first that nobody judged', () => {
    const items = hitItems(
      new Map([
        ['h2', 0],
        ['h50', 1],
        ['x', 2],
      ]),
      hits,
    );
    assert.equal(items.length, 98);
    assert.deepEqual(
      items.filter(({ grade }) => grade !== null).sort((a, b) => a.id.localeCompare(b.id)),
      [
        { id: 'h2', grade: 0 },
        { id: 'h50', grade: 1 },
      ],
    );
    assert.ok(!items.some(({ id }) => ['h0', 'h1', 'x'].includes(id)));
  });

  it('are taken from several ranks, each once, as many as wanted', () => {
    for (const count of [1, 5, 37, 99, 100, 200]) {
      const taken = atSeveralRanks(hits, count);
      assert.equal(new Set(taken).size, Math.min(count, 100));
    }
    const ranks = atSeveralRanks(hits, 10).map((id) => Number(id.slice(1)));
    assert.ok(Math.min(...ranks) < 5 && Math.max(...ranks) > 80, ranks.join());
  });
});
