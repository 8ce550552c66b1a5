/** SemEval 2016 task 3 as it lies in the data folder (lines of query, candidate and label) made into a judged collection. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const SEMEVAL_FILES = {
  source: 'train_part2.jsonl',
  corpus: 'corpus.jsonl',
  queries: 'queries.jsonl',
  qrels: 'qrels.tsv',
};

interface Pair {
  readonly qid: string;
  readonly did: string;
  readonly query: string;
  readonly title: string;
  readonly text: string;
  readonly label: number;
}

/** Writes {@link SEMEVAL_FILES} into the folder `into`. A query is a question's subject. */
export async function prepareSemeval(from: string, into: string): Promise<void> {
  const parts = await Promise.all(
    ['train_part1_merged.jsonl', SEMEVAL_FILES.source].map((name) => readFile(join(from, name), 'utf8')),
  );
  const pairs = parts
    .flatMap((part) => part.split('\n'))
    .filter((line) => line.trim() !== '')
    .map(pairOf);
  const documents = new Map(pairs.map(({ did, title, text }) => [did, { _id: did, title, text }]));
  const queries = new Map(pairs.map(({ qid, query }) => [qid, { _id: qid, text: query }]));
  await writeFile(join(into, SEMEVAL_FILES.corpus), lines(documents.values()));
  await writeFile(join(into, SEMEVAL_FILES.queries), lines(queries.values()));
  await writeFile(
    join(into, SEMEVAL_FILES.qrels),
    pairs.map(({ qid, did, label }) => `${qid}\t${did}\t${label}\n`).join(''),
  );
}

/** The first part has subject and body in one, "Subject. Body". */
function pairOf(line: string): Pair {
  const row = JSON.parse(line) as Record<string, string> & { readonly label: number };
  const { qid = '', did = '', label, query_merged: query, title_body_merged: merged } = row;
  if (query === undefined || merged === undefined)
    return { qid, did, label, query: row['query'] ?? '', title: row['title'] ?? '', text: row['body'] ?? '' };
  const [title = '', ...text] = merged.split('. ');
  return { qid, did, label, query: query.split('. ')[0] ?? '', title, text: text.join('. ') };
}

function lines(rows: Iterable<unknown>): string {
  return [...rows].map((row) => `${JSON.stringify(row)}\n`).join('');
}
