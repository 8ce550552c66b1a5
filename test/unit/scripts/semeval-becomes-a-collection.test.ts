import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { prepareSemeval } from '../../../scripts/eval/semeval.js';
import { readInput, readInputText } from '../../../src/evaluate/read-input.js';

describe('SemEval as a judged collection', () => {
  it('has each document and query once, with subject and body apart in both parts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinrank-semeval-'));
    try {
      const merged = (did: string, label: number): string =>
        JSON.stringify({
          qid: 'Q1',
          query_merged: 'Oil. Where? Here.',
          did,
          title_body_merged: 'A. B. C',
          label,
        });
      const apart = {
        qid: 'Q2',
        query: 'car',
        query_body: 'x',
        did: 'Q2_R1',
        title: 'cars',
        body: 'red',
        label: 0,
      };
      await writeFile(
        join(folder, 'train_part1_merged.jsonl'),
        `${merged('Q1_R1', 2)}\n${merged('Q1_R2', 1)}\n`,
      );
      await writeFile(join(folder, 'train_part2.jsonl'), `${JSON.stringify(apart)}\n`);
      await prepareSemeval(folder, folder);
      const files = { queries: join(folder, 'queries.jsonl'), qrels: join(folder, 'qrels.tsv') };
      const { queries, qrels } = await readInput(files, undefined);
      assert.deepEqual(queries, [
        { id: 'Q1', text: 'Oil' },
        { id: 'Q2', text: 'car' },
      ]);
      assert.deepEqual(
        [...(qrels.get('Q1') ?? [])],
        [
          ['Q1_R1', 2],
          ['Q1_R2', 1],
        ],
      );
      const corpus = (await readInputText(join(folder, 'corpus.jsonl'))).trim().split('\n');
      assert.deepEqual(
        corpus.map((line) => JSON.parse(line) as unknown),
        [
          { _id: 'Q1_R1', title: 'A', text: 'B. C' },
          { _id: 'Q1_R2', title: 'A', text: 'B. C' },
          { _id: 'Q2_R1', title: 'cars', text: 'red' },
        ],
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
