/** Cosines of a query and the stored vectors of its window: the order that a head has to be better than. */
import type { Candidate } from '../../src/evaluate/fusion.js';
import { orderByScore } from '../../src/model/blend.js';
import type { Bundle } from '../../src/model/bundle.js';
import { reasonOf, type EngineClient } from '../../src/search-engine/client.js';
import { isRecord } from '../../src/search-engine/json-value.js';
import { DEFAULT_VECTOR_FIELD } from '../../src/search-engine/mapping-meta.js';
import { decodePayload } from '../../src/search-engine/vector-payload.js';
import { cosine } from '../../src/model/cosine.js';

/** Documents in one `_mget`. */
const BATCH = 500;

/** Vectors by document id, as they are stored; documents without one are missing. */
export async function storedVectors(
  client: EngineClient,
  index: string,
  ids: readonly string[],
  bundle: Pick<Bundle, 'fingerprint' | 'dimensions'>,
  signal: AbortSignal,
): Promise<Map<string, Float32Array>> {
  const vectors = new Map<string, Float32Array>();
  for (let at = 0; at < ids.length; at += BATCH) {
    const answer = await client.request({
      method: 'POST',
      path: `/${index}/_mget?_source_includes=${DEFAULT_VECTOR_FIELD}`,
      body: { ids: ids.slice(at, at + BATCH) },
      signal,
    });
    const docs = isRecord(answer.body) ? answer.body['docs'] : undefined;
    if (answer.status !== 200 || !Array.isArray(docs))
      throw new Error(`The stored vectors cannot be read: ${reasonOf(answer)}`);
    for (const doc of docs.filter(isRecord)) {
      const stored = isRecord(doc['_source']) ? doc['_source'][DEFAULT_VECTOR_FIELD] : undefined;
      if (typeof stored !== 'string') continue;
      const payload = decodePayload(stored, bundle);
      if (typeof payload === 'string') throw new Error(`The vector of ${String(doc['_id'])} is ${payload}.`);
      vectors.set(String(doc['_id']), payload.vector);
    }
  }
  return vectors;
}

/** Ids by descending cosine, equal ones in the order of the candidates, those without a vector at the end. */
export function cosineRanking(
  query: Float32Array,
  candidates: readonly Candidate[],
  vectors: ReadonlyMap<string, Float32Array>,
): string[] {
  const cosines = candidates.map(({ id }) => {
    const vector = vectors.get(id);
    return vector === undefined ? undefined : cosine(query, vector);
  });
  return orderByScore(cosines).flatMap((place) => candidates[place]?.id ?? []);
}
