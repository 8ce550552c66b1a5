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
import { hitItems, listItems, type ListItem } from './list-rows.js';

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
  /** Documents of grade 0 that each list of judged documents should have. */
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
  const found: Found[] = [];
  for (const query of queries) {
    const { hits } = await searcher.search(bodyOf(query.text), signal);
    const judgments = qrels.get(query.id) ?? new Map<string, number>();
    const ranking = rankingOf(hits);
    found.push({
      query,
      judged: listItems(judgments, ranking, negatives),
      hits: hitItems(judgments, ranking),
    });
    onQuery?.(found.length, queries.length);
  }
  const ids = [...new Set(found.flatMap(({ judged, hits }) => [...judged, ...hits].map(({ id }) => id)))];
  const texts = await textsOf(client, index, textFields, ids, signal);
  const known = found.map(({ query, judged, hits }) => ({
    query,
    judged: judged.filter(({ id }) => texts.has(id)),
    hits: hits.filter(({ id }) => texts.has(id)),
  }));
  const useful = known.filter(({ judged }) => canTeach(judged));
  const judged = judgedBy(queries, qrels);
  return {
    lists: numbered(useful, texts, numbers),
    unknown: { judged: judged.length, unknown: judged.filter((id) => !texts.has(id)) },
    useless: queries.length - useful.length,
  };
}

/** A query with its two lists. */
interface Found {
  readonly query: Query;
  readonly judged: readonly ListItem[];
  readonly hits: readonly ListItem[];
}

function canTeach(items: readonly ListItem[]): boolean {
  return items.some(({ grade }) => (grade ?? 0) > 0) && items.some(({ grade }) => (grade ?? 0) <= 0);
}

/** The lists of judged documents first, one a query; then those of hits, where they can teach something. */
function numbered(
  found: readonly Found[],
  texts: ReadonlyMap<string, string>,
  numbers: TextNumbers,
): Omit<NumberedLists, 'vectors'> {
  const ofJudged = found.map(({ query, judged }, number) => ({ number, query, items: judged }));
  const ofHits = found
    .map(({ query, hits }, number) => ({ number, query, items: hits }))
    .filter(({ items }) => canTeach(items));
  const lists = [...ofJudged, ...ofHits];
  const rows = lists.flatMap(({ query, items }) => {
    const left = numbers.numberOf(query.text, 'query');
    return items.map(({ id, grade }) => ({
      left,
      right: numbers.numberOf(texts.get(id) ?? '', 'document'),
      grade: grade ?? -1,
    }));
  });
  let row = 0;
  return {
    left: Int32Array.from(rows, ({ left }) => left),
    right: Int32Array.from(rows, ({ right }) => right),
    grades: Int32Array.from(rows, ({ grade }) => grade),
    starts: Int32Array.from([0, ...lists.map(({ items }) => (row += items.length))]),
    queries: Int32Array.from(lists, ({ number }) => number),
  };
}
