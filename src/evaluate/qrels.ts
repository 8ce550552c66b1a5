/** Relevance judgments: how good each judged document is for each query. */
import { TwinrankError } from '../errors.js';

/** Grade by document id; 0 is judged and not relevant. */
export type Judgments = ReadonlyMap<string, number>;

/** Judgments by query id. */
export type Qrels = ReadonlyMap<string, Judgments>;

/**
 * Reads `query-id corpus-id score` (tab or blank separated, a header is allowed) or TREC's four columns
 * `query-id iteration corpus-id score`. Negative grades count as 0; a pair judged twice keeps its last grade.
 * Throws `bad_input_file` with the line that cannot be read.
 */
export function parseQrels(text: string, name: string): Qrels {
  const qrels = new Map<string, Map<string, number>>();
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = (i === 0 ? raw.replace(/^\uFEFF/, '') : raw).trim();
    if (line === '') return;
    // Ids may hold blanks where tabs separate.
    const cells = line.includes('\t') ? line.split('\t').map((cell) => cell.trim()) : line.split(/\s+/);
    const [query, document] = cells.length === 4 ? [cells[0], cells[2]] : [cells[0], cells[1]];
    const grade = Number(cells.at(-1));
    const isSound =
      (cells.length === 3 || cells.length === 4) && Number.isInteger(grade) && cells.at(-1) !== '';
    if (!isSound || query === undefined || document === undefined) {
      if (i === 0 && (cells.length === 3 || cells.length === 4)) return;
      throw new TwinrankError(
        'bad_input_file',
        `${name}:${i + 1}: expected "query-id corpus-id score" or TREC's four columns, got "${line.slice(0, 80)}".`,
      );
    }
    const judgments = qrels.get(query) ?? new Map<string, number>();
    judgments.set(document, Math.max(0, grade));
    qrels.set(query, judgments);
  });
  if (qrels.size === 0) throw new TwinrankError('bad_input_file', `${name}: holds no judgments.`);
  return qrels;
}
