/**
 * A point in time of one shard, where the engine has such a thing. OpenSearch and Elasticsearch name it differently,
 * old and stripped-down versions have none: which it is shows by trying, not by tables of versions. Without one the
 * same pages are read from the index as it is; a cursor on `_seq_no` with a fixed upper bound finds each document
 * that does not change meanwhile all the same, and one that changes leaves the range.
 */
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { isRecord } from '../../search-engine/json-value.js';

/** How long the engine keeps it after the last page. */
export const KEEP_ALIVE = '2m';

export interface PointInTime {
  readonly id: string;
  /** Where it is let go. */
  readonly dialect: 'opensearch' | 'elasticsearch';
}

/** Opens one; undefined where the engine (or the user's rights) has none to give. Throws where no answer came. */
export async function openPointInTime(
  client: EngineClient,
  index: string,
  shard: number,
  signal: AbortSignal,
): Promise<PointInTime | undefined> {
  const query = `keep_alive=${KEEP_ALIVE}&preference=_shards:${shard}`;
  const name = encodeExpression(index);
  const first = await client.request({
    method: 'POST',
    path: `/${name}/_search/point_in_time?${query}`,
    signal,
  });
  const ofOpenSearch = idOf(first.body, 'pit_id');
  if (first.status === 200 && ofOpenSearch !== undefined) return { id: ofOpenSearch, dialect: 'opensearch' };
  const second = await client.request({ method: 'POST', path: `/${name}/_pit?${query}`, signal });
  const ofElasticsearch = idOf(second.body, 'id');
  return second.status === 200 && ofElasticsearch !== undefined
    ? { id: ofElasticsearch, dialect: 'elasticsearch' }
    : undefined;
}

/** Lets it go. A failure does not matter: the engine forgets it by itself. */
export async function closePointInTime(client: EngineClient, { id, dialect }: PointInTime): Promise<void> {
  const request =
    dialect === 'opensearch'
      ? { path: '/_search/point_in_time', body: { pit_id: [id] } }
      : { path: '/_pit', body: { id } };
  const signal = AbortSignal.timeout(CLOSE_PATIENCE_MS);
  await client.request({ method: 'DELETE', ...request, signal }).catch(() => undefined);
}

const CLOSE_PATIENCE_MS = 5_000;

function idOf(body: unknown, key: string): string | undefined {
  const id = isRecord(body) ? body[key] : undefined;
  return typeof id === 'string' ? id : undefined;
}
