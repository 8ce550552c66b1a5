/** From judgments and an index to lists of numbered texts. */
import type { EngineClient } from '../../search-engine/client.js';
import { judgedBy, type UnknownDocuments } from '../judged-documents.js';
import type { Qrels } from '../qrels.js';
import type { Query } from '../queries.js';
import { rankingOf } from '../ranking.js';
import type { Searcher } from '../search-http.js';
import type { TextNumbers } from './encode-texts.js';
import { textsOf } from './engine-lists.js';
import type { NumberedLists } from './list-problem.js';
import { listItems, type ListItem } from './list-rows.js';

export interface GatherDeps {
  readonly searcher: Searcher;
  readonly client: EngineClient;
  readonly bodyOf: (text: string) => string;
  readonly numbers: TextNumbers;
  readonly onQuery?: (done: number, total: number) => void;
}

export interface GatherOptions {
  readonly index: string;
  readonly textFields: readonly string[];
  /** Documents of grade 0 that each list should have. */
  readonly negatives: number;
}

export interface Gathered {
  readonly lists: Omit<NumberedLists, 'vectors'>;
  readonly unknown: UnknownDocuments;
  /** Queries that lost all their relevant documents, or have nothing to tell them from. */
  readonly useless: number;
}

/** Queries must have a relevant document each, see trainableQueries. */
export async function gatherLists(
  queries: readonly Query[],
  qrels: Qrels,
  { searcher, client, bodyOf, numbers, onQuery }: GatherDeps,
  { index, textFields, negatives }: GatherOptions,
  signal: AbortSignal,
): Promise<Gathered> {
  const lists: { readonly query: Query; readonly items: readonly ListItem[] }[] = [];
  for (const query of queries) {
    const { hits } = await searcher.search(bodyOf(query.text), signal);
    lists.push({ query, items: listItems(qrels.get(query.id) ?? new Map(), rankingOf(hits), negatives) });
    onQuery?.(lists.length, queries.length);
  }
  const ids = [...new Set(lists.flatMap(({ items }) => items.map(({ id }) => id)))];
  const texts = await textsOf(client, index, textFields, ids, signal);
  const judged = judgedBy(queries, qrels);
  const rows = { left: [] as number[], right: [] as number[], grades: [] as number[], starts: [0] };
  for (const { query, items } of lists) {
    const found = items.filter(({ id }) => texts.has(id));
    const grades = found.map(({ grade }) => grade ?? -1);
    if (!grades.some((grade) => grade > 0) || !grades.some((grade) => grade <= 0)) continue;
    for (const [i, { id }] of found.entries()) {
      rows.left.push(numbers.numberOf(query.text, 'query'));
      rows.right.push(numbers.numberOf(texts.get(id) ?? '', 'document'));
      rows.grades.push(grades[i] as number);
    }
    rows.starts.push(rows.left.length);
  }
  return {
    lists: {
      left: Int32Array.from(rows.left),
      right: Int32Array.from(rows.right),
      grades: Int32Array.from(rows.grades),
      starts: Int32Array.from(rows.starts),
    },
    unknown: { judged: judged.length, unknown: judged.filter((id) => !texts.has(id)) },
    useless: queries.length - (rows.starts.length - 1),
  };
}
