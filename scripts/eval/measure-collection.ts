/** One collection on the full path: sidecar, engine and proxy, and the cosines of the vectors that are stored. */
import { join } from 'node:path';
import { poolSize, startEncoder } from '../../src/cli/model-options.js';
import { metricNamed } from '../../src/evaluate/metrics.js';
import { readInput } from '../../src/evaluate/read-input.js';
import { runEvaluation, type EvaluationRun, type QueryResult } from '../../src/evaluate/run-evaluation.js';
import { searchBody } from '../../src/evaluate/search-body.js';
import { createSearcher } from '../../src/evaluate/search-http.js';
import type { Bundle } from '../../src/model/bundle.js';
import { startService } from '../services.js';
import type { Collection } from './collections.js';
import { rankingRow, type CollectionRow } from './ranking-row.js';
import { cosineRanking, storedVectors } from './window-cosines.js';
import { WINDOW, type FilledIndex, type Workbench } from './workbench.js';

/** Quality is measured here, so a busy machine must not make the proxy give up on a query. */
const QUERY_BUDGET_MS = '20000';

export interface Measuring {
  readonly data: string;
  /** Folder of the bundle; the one that comes with twinrank if undefined. */
  readonly model: string | undefined;
  readonly bundle: Bundle;
  /** An index that has the vectors of the bundle's encoder already; one is filled if left out. */
  readonly filled?: FilledIndex;
}

/** Throws where a query was not reranked, for then its figures would be the engine's own. */
export async function measureCollection(
  workbench: Workbench,
  collection: Collection,
  { data, model, bundle, filled: given }: Measuring,
  signal: AbortSignal,
): Promise<CollectionRow> {
  const filled = given ?? (await workbench.indexOf(collection, data, model));
  const { results } = await ask(workbench, collection, filled, model, signal);
  const unranked = results.find(({ outcome }) => outcome?.startsWith('applied') !== true);
  if (unranked !== undefined)
    throw new Error(`${collection.title}: "${unranked.query.text}" was not reranked (${unranked.outcome}).`);
  const ids = [...new Set(results.flatMap(({ candidates }) => candidates.map(({ id }) => id)))];
  const vectors = await storedVectors(await workbench.client(), filled.index, ids, bundle, signal);
  const queries = await queryVectors(results, bundle, signal);
  return rankingRow(
    results,
    (result) => cosineRanking(queries.get(result) as Float32Array, result.candidates, vectors),
    metricNamed(collection.metric),
    { title: collection.title, folder: collection.folder, model: bundle.manifest.name },
  );
}

async function ask(
  workbench: Workbench,
  { queries, qrels, fields, excludeEqual }: Collection,
  { index, folder }: FilledIndex,
  model: string | undefined,
  signal: AbortSignal,
): Promise<EvaluationRun> {
  const input = await readInput({ queries: join(folder, queries), qrels: join(folder, qrels) }, undefined);
  const address = await workbench.engine();
  const bundle = model === undefined ? [] : ['--model', model];
  const service = await startService(
    'rerank',
    ['--upstream', address, '--budget', QUERY_BUDGET_MS, ...bundle],
    signal,
  );
  const target = { index, textField: excludeEqual ? 'title' : null };
  const engine = createSearcher({ url: new URL(address), ...target });
  const proxy = createSearcher({ url: new URL(service.url), ...target, wish: 'scores' });
  const shape = { fields, size: WINDOW, template: null, sourceFields: excludeEqual ? ['title'] : [] };
  try {
    const bodyOf = (text: string): string => searchBody(text, shape);
    return await runEvaluation(
      input,
      { engine, proxy, bodyOf },
      { seed: 1, warmUp: 0, excludeEqual },
      signal,
    );
  } finally {
    engine.close();
    proxy.close();
    await service.stop();
  }
}

async function queryVectors(
  results: readonly QueryResult[],
  bundle: Bundle,
  signal: AbortSignal,
): Promise<Map<QueryResult, Float32Array>> {
  const values = { workers: undefined, threads: undefined };
  const encoder = await startEncoder(bundle, values, poolSize('document'), signal);
  try {
    const texts = results.map(({ query: { text } }) => text);
    const vectors = await encoder.encode(texts, { kind: 'query', signal });
    return new Map(results.map((result, i) => [result, vectors[i] as Float32Array]));
  } finally {
    await encoder.close(signal);
  }
}
