import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { beirFiles, readInput } from '../../../src/evaluate/read-input.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-beir-'));
  await mkdir(join(folder, 'qrels'));
  await writeFile(join(folder, 'queries.jsonl'), '{"_id":"1","text":"one"}\n{"_id":"2","text":"two"}\n');
  await writeFile(join(folder, 'qrels', 'dev.tsv'), 'query-id\tcorpus-id\tscore\n1\td1\t1\n');
  await writeFile(join(folder, 'qrels', 'test.tsv.gz'), gzipSync('query-id\tcorpus-id\tscore\n2\td2\t2\n'));
});
after(() => rm(folder, { recursive: true, force: true }));

describe('a BEIR folder', () => {
  it('gives the queries and the judgments of a split, compressed or not', async () => {
    const test = await readInput(await beirFiles(folder, 'test'), undefined);
    assert.equal(test.queries.length, 2);
    assert.deepEqual([...test.qrels], [['2', new Map([['d2', 2]])]]);
    assert.deepEqual([...(await readInput(await beirFiles(folder, 'dev'), undefined)).qrels.keys()], ['1']);
  });

  it('says what is missing', async () => {
    await assert.rejects(beirFiles(join(folder, 'none'), 'test'), /there is no such folder/);
    await assert.rejects(beirFiles(join(folder, 'qrels'), 'test'), /has no queries\.jsonl/);
    await assert.rejects(beirFiles(folder, 'train'), /has no qrels\/train\.tsv; say --split dev or test/);
  });

  it('is refused where files are empty or ids do not agree', async () => {
    const write = async (name: string, content: string): Promise<string> => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const queries = join(folder, 'queries.jsonl');
    const reading = async (content: string): Promise<unknown> =>
      readInput({ queries, qrels: await write('other.tsv', content) }, undefined);
    await assert.rejects(reading(''), /other\.tsv: holds no judgments/);
    await assert.rejects(reading('query-id\tcorpus-id\tscore\n'), /holds no judgments/);
    await assert.rejects(reading('9 0 d1 1\n'), /None of the queries .* do their ids agree/);
    await assert.rejects(reading('1 0 d1 0\n'), /every grade is 0/);
    await assert.rejects(
      readInput(
        { queries: await write('empty.jsonl', '\n'), qrels: join(folder, 'qrels', 'dev.tsv') },
        undefined,
      ),
      /empty\.jsonl: holds no queries/,
    );
  });
});
