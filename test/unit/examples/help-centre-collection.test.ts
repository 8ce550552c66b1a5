/** The quickstart's collection is whole, judged as its README says, and its order gives no answer away. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

interface Entry {
  readonly _id: string;
  readonly title: string;
  readonly body: string;
  readonly category: string;
  readonly language: string;
}
interface Query {
  readonly _id: string;
  readonly text: string;
}
interface Judgment {
  readonly query: string;
  readonly entry: string;
  readonly grade: number;
}

// dist/test/unit/examples -> the repository's root
const FOLDER = join(import.meta.dirname, '../../../../examples/help-centre');
const read = (name: string): string[] => readFileSync(join(FOLDER, name), 'utf8').trimEnd().split('\n');

const entries = read('corpus.jsonl').map((line) => JSON.parse(line) as Entry);
const queries = read('queries.jsonl').map((line) => JSON.parse(line) as Query);
const [header, ...rows] = read('qrels.tsv');
const judgments = rows.map((row): Judgment => {
  const [query = '', entry = '', grade = ''] = row.split('\t');
  return { query, entry, grade: Number(grade) };
});

const entryById = new Map(entries.map((entry) => [entry._id, entry]));
const languageOf = (query: Query): string => query._id.split('-')[1] ?? '';
const judgmentsOf = (query: Query): Judgment[] => judgments.filter((judgment) => judgment.query === query._id);
const count = (items: readonly { readonly _id: string }[], language: string): number =>
  items.filter((item) => item._id.includes(language)).length;

/** Lower-cased words, and pairs of neighbouring Chinese characters, as the engine's cjk analyzer makes them. */
function tokens(text: string): Set<string> {
  const found = new Set<string>();
  for (const [run] of text.toLowerCase().matchAll(/[a-z0-9']+|\p{Script=Han}+/gu)) {
    if (!/\p{Script=Han}/u.test(run)) found.add(run);
    else for (let i = 0; i + 1 < run.length; i++) found.add(run.slice(i, i + 2));
  }
  return found;
}

/** Pearson's r of two series of the same length. */
function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const product = (a: readonly number[], ma: number, b: readonly number[], mb: number): number =>
    a.reduce((sum, v, i) => sum + (v - ma) * ((b[i] ?? 0) - mb), 0);
  return product(x, mx, y, my) / Math.sqrt(product(x, mx, x, mx) * product(y, my, y, my));
}

describe('the help-centre collection', () => {
  it('holds the numbers of entries and queries that its README states', () => {
    assert.deepEqual([count(entries, 'en-'), count(entries, 'zh-'), entries.length], [224, 212, 436]);
    assert.deepEqual([count(queries, 'en-'), count(queries, 'zh-'), queries.length], [32, 32, 64]);
    const graded = (grade: number): number => judgments.filter((judgment) => judgment.grade === grade).length;
    assert.deepEqual([graded(2), graded(1), graded(0), judgments.length], [67, 24, 347, 438]);
  });

  it('has unique ids and titles, and no empty field', () => {
    assert.equal(entryById.size, entries.length);
    assert.equal(new Set(entries.map((entry) => entry.title)).size, entries.length);
    assert.equal(new Set(queries.map((query) => query._id)).size, queries.length);
    for (const entry of entries) {
      assert.deepEqual(Object.keys(entry), ['_id', 'title', 'body', 'category', 'language']);
      for (const value of Object.values(entry)) assert.ok(value.trim().length > 0, entry._id);
      assert.equal(entry._id.split('-')[0], entry.language);
    }
  });

  it('judges known queries and known entries, each pair once', () => {
    assert.equal(header, 'query-id\tcorpus-id\tscore');
    const known = new Set(queries.map((query) => query._id));
    for (const { query, entry, grade } of judgments) {
      assert.ok(known.has(query), query);
      assert.ok(entryById.has(entry), entry);
      assert.ok([0, 1, 2].includes(grade), `${query} ${entry}`);
    }
    assert.equal(new Set(judgments.map(({ query, entry }) => `${query} ${entry}`)).size, judgments.length);
  });

  it('gives every query an answer, at most four relevant entries and three to eight decoys', () => {
    for (const query of queries) {
      const grades = judgmentsOf(query).map((judgment) => judgment.grade);
      const relevant = grades.filter((grade) => grade > 0).length;
      assert.ok(grades.includes(2), query._id);
      assert.ok(relevant <= 4, query._id);
      assert.ok(grades.length - relevant >= 3 && grades.length - relevant <= 8, query._id);
    }
  });

  it('judges each query within its own language', () => {
    for (const query of queries) {
      for (const { entry } of judgmentsOf(query)) {
        assert.equal(entryById.get(entry)?.language, languageOf(query), `${query._id} ${entry}`);
      }
    }
  });

  it('asks in other words than any title, yet shares a token with each relevant one', () => {
    const titles = new Set(entries.map((entry) => entry.title.toLowerCase()));
    for (const query of queries) {
      assert.ok(!titles.has(query.text.toLowerCase()), query._id);
      const asked = tokens(query.text);
      for (const { entry } of judgmentsOf(query).filter((judgment) => judgment.grade > 0)) {
        const shared = [...tokens(entryById.get(entry)?.title ?? '')].filter((token) => asked.has(token));
        assert.ok(shared.length > 0, `${query._id} ${entry}`);
      }
    }
  });

  it('does not tell relevance by the place in the file or by the number in the id', () => {
    const place = new Map(entries.map((entry, index) => [entry._id, index]));
    const grades = judgments.map((judgment) => judgment.grade);
    const places = judgments.map((judgment) => place.get(judgment.entry) ?? -1);
    const numbers = judgments.map((judgment) => Number(judgment.entry.split('-')[1]));
    assert.ok(Math.abs(correlation(places, grades)) < 0.1);
    assert.ok(Math.abs(correlation(numbers, grades)) < 0.1);
  });
});
