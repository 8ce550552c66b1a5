/** The files of an evaluation: queries and judgments, named one by one or as a folder in BEIR's layout. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { TwinrankError } from '../errors.js';
import { parseQrels } from './qrels.js';
import { parseQueries } from './queries.js';
import type { EvaluationInput } from './run-evaluation.js';
import { measurable } from './run-evaluation.js';

export interface InputFiles {
  readonly queries: string;
  readonly qrels: string;
}

/**
 * `queries.jsonl` and `qrels/SPLIT.tsv` of a folder in the layout of BEIR (Thakur et al. 2021). Throws
 * `bad_input_file` that says what is missing and which splits there are.
 */
export async function beirFiles(folder: string, split: string): Promise<InputFiles> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new TwinrankError('bad_input_file', `${folder}: there is no such folder.`);
  const names = await readdir(folder);
  const queries = ['queries.jsonl', 'queries.jsonl.gz'].find((name) => names.includes(name));
  if (queries === undefined)
    throw new TwinrankError('bad_input_file', `${folder}: has no queries.jsonl, so it is no BEIR folder.`);
  const splits = names.includes('qrels')
    ? (await readdir(join(folder, 'qrels'))).filter((name) => /\.tsv(\.gz)?$/.test(name))
    : [];
  const qrels = [`${split}.tsv`, `${split}.tsv.gz`].find((name) => splits.includes(name));
  if (qrels === undefined) {
    const there = splits.map((name) => name.replace(/\.tsv(\.gz)?$/, '')).sort();
    throw new TwinrankError(
      'bad_input_file',
      `${folder}: has no qrels/${split}.tsv; ${there.length === 0 ? 'there are no qrels at all' : `say --split ${there.join(' or ')}`}.`,
    );
  }
  return { queries: join(folder, queries), qrels: join(folder, 'qrels', qrels) };
}

/**
 * Reads both files. `limit` keeps so many judged queries from the start of the file. Throws `bad_input_file` where
 * a file cannot be read, or no query has a relevant document.
 */
export async function readInput(files: InputFiles, limit: number | undefined): Promise<EvaluationInput> {
  const all = parseQueries(await readInputText(files.queries), files.queries);
  const qrels = parseQrels(await readInputText(files.qrels), files.qrels);
  const judged = all.filter(({ id }) => qrels.has(id));
  const queries = limit === undefined ? all : judged.slice(0, limit);
  if (measurable({ queries, qrels }).queries.length === 0) {
    const message =
      judged.length === 0
        ? `None of the queries in ${files.queries} is judged in ${files.qrels}; do their ids agree?`
        : `None of the judged queries in ${files.queries} has a relevant document in ${files.qrels}: every grade is 0.`;
    throw new TwinrankError('bad_input_file', message);
  }
  return { queries, qrels };
}

/** A file's text, uncompressed where its name ends in .gz. Throws `bad_input_file`. */
export async function readInputText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new TwinrankError('bad_input_file', `${path}: ${reason}.`, { cause: error });
  }
}
