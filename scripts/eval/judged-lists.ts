/** Orders of a collection's judged documents alone, without an engine: a head against cosine. */
import { join } from 'node:path';
import { poolSize, startEncoder } from '../../src/cli/model-options.js';
import { encodeTexts, textNumbers } from '../../src/evaluate/head/encode-texts.js';
import { readVectorFile, type KnownVectors } from '../../src/evaluate/head/vector-file.js';
import { ndcg } from '../../src/evaluate/metrics.js';
import type { Judgments } from '../../src/evaluate/qrels.js';
import { equalToQuery, inHashOrder } from '../../src/evaluate/ranking.js';
import { readInput, readInputText } from '../../src/evaluate/read-input.js';
import { mean } from '../../src/evaluate/statistics.js';
import { orderByScore } from '../../src/model/blend.js';
import type { Bundle } from '../../src/model/bundle.js';
import { cosine } from '../../src/model/cosine.js';
import { createHead } from '../../src/model/head.js';
import type { Collection } from './collections.js';
import { differenceOf, type Difference } from './ranking-row.js';

export interface JudgedFigures {
  readonly queries: number;
  readonly cosine: number;
  readonly head: number;
  readonly headOverCosine: Difference;
}

interface JudgedList {
  readonly query: string;
  readonly judgments: Judgments;
  /** In an order that says nothing about the grades. */
  readonly ids: readonly string[];
}

const DEPTH = 10;

/**
 * Judged-only nDCG@10 of both orders.
 * @param cache file of vectors that need not be encoded, where there is one
 */
export async function measureJudged(
  collection: Collection,
  data: string,
  bundle: Bundle,
  cache: string | undefined,
  signal: AbortSignal,
): Promise<JudgedFigures> {
  const folder = join(data, collection.folder);
  const titles = titlesOf(await readInputText(join(folder, collection.corpus)));
  const { queries, qrels } = await readInput(
    { queries: join(folder, collection.queries), qrels: join(folder, collection.qrels) },
    undefined,
  );
  const lists = queries.flatMap(({ id, text }) =>
    judgedList(text, qrels.get(id) ?? new Map(), titles, collection.excludeEqual),
  );
  const numbers = textNumbers(bundle.manifest);
  const numbered = lists.map(({ query, ids }) => ({
    query: numbers.numberOf(query, 'query'),
    documents: ids.map((id) => numbers.numberOf(titles.get(id) ?? '', 'document')),
  }));
  const known: KnownVectors = cache === undefined ? new Map() : await readVectorFile(cache, bundle);
  const values = { workers: undefined, threads: undefined };
  const encoder = await startEncoder(bundle, values, poolSize('document'), signal);
  const { table } = await encodeTexts(numbers, encoder, known, signal, () => undefined).finally(() =>
    encoder.close(signal),
  );
  const vectorAt = (place: number): Float32Array =>
    table.values.subarray(place * table.dimensions, (place + 1) * table.dimensions);
  const head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
  const measured = (scoresOf: (u: Float32Array, documents: Float32Array[]) => number[]): number[] =>
    lists.map(({ ids, judgments }, i) => {
      const { query, documents } = numbered[i] as (typeof numbered)[number];
      const order = orderByScore(scoresOf(vectorAt(query), documents.map(vectorAt)));
      return ndcg(
        order.map((place) => ids[place] as string),
        judgments,
        DEPTH,
      );
    });
  const ofCosine = measured((u, documents) => documents.map((v) => cosine(u, v)));
  const ofHead = measured((u, documents) => {
    const scorer = head.scorer(u);
    return documents.map((v) => scorer.logOdds(v));
  });
  return {
    queries: lists.length,
    cosine: mean(ofCosine),
    head: mean(ofHead),
    headOverCosine: differenceOf(ofHead, ofCosine),
  };
}

/** The query's list, or none where no relevant document is left. */
function judgedList(
  query: string,
  all: Judgments,
  titles: ReadonlyMap<string, string>,
  excludeEqual: boolean,
): JudgedList[] {
  const hits = [...all.keys()].map((id) => ({ id, score: null, text: titles.get(id) }));
  const excluded = new Set(excludeEqual ? equalToQuery(hits, query) : []);
  const judgments = new Map([...all].filter(([id]) => titles.has(id) && !excluded.has(id)));
  if (![...judgments.values()].some((grade) => grade > 0)) return [];
  return [{ query, judgments, ids: inHashOrder([...judgments.keys()]) }];
}

function titlesOf(corpus: string): Map<string, string> {
  const lines = corpus.split('\n').filter((line) => line.trim() !== '');
  return new Map(
    lines.map((line) => {
      const { _id: id, title } = JSON.parse(line) as { _id: string; title: string };
      return [String(id), title];
    }),
  );
}
