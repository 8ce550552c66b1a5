/** Whether the judged documents are in the index: judgments of documents that no search can find measure nothing. */
import { TwinrankError } from '../errors.js';
import { reasonOf } from '../search-engine/client.js';
import type { EngineClient } from '../search-engine/client.js';
import { encodeExpression } from '../search-engine/index-settings.js';
import { isRecord } from '../search-engine/json-value.js';
import type { Qrels } from './qrels.js';
import type { Query } from './queries.js';
import type { EvaluationInput } from './run-evaluation.js';
import { measurable } from './run-evaluation.js';

export interface UnknownDocuments {
  /** Different documents that the queries judge. */
  readonly judged: number;
  /** Ids, in the order of the judgments. */
  readonly unknown: readonly string[];
}

/** Ids of all documents that the queries judge, each once. */
export function judgedBy(queries: readonly Query[], qrels: Qrels): string[] {
  return [...new Set(queries.flatMap(({ id }) => [...(qrels.get(id)?.keys() ?? [])]))];
}

const IDS_PER_SEARCH = 1000;

/**
 * Judged ids of the measured queries that the index does not have. Throws `bad_input_file` where it has none of them,
 * `upstream_answer` where the engine refuses the search.
 */
export async function unknownDocuments(
  client: EngineClient,
  index: string,
  input: EvaluationInput,
  qrelsFile: string,
  signal: AbortSignal,
): Promise<UnknownDocuments> {
  const ids = judgedBy(measurable(input).queries, input.qrels);
  const known = new Set<string>();
  for (let at = 0; at < ids.length; at += IDS_PER_SEARCH) {
    for (const id of await present(client, index, ids.slice(at, at + IDS_PER_SEARCH), signal)) known.add(id);
  }
  const unknown = ids.filter((id) => !known.has(id));
  if (known.size === 0) {
    throw new TwinrankError(
      'bad_input_file',
      `${qrelsFile}: none of its ${ids.length} judged documents is in "${index}" (the first is "${ids[0] ?? ''}"). ` +
        "Do the ids of the judgments agree with the index's _id, and is this the right index?",
    );
  }
  return { judged: ids.length, unknown };
}

async function present(
  client: EngineClient,
  index: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const answer = await client.request({
    method: 'POST',
    path: `/${encodeExpression(index)}/_search`,
    // An alias may have a document of the same id in several indices.
    body: { query: { ids: { values: ids } }, size: 2 * ids.length, _source: false },
    signal,
  });
  const outer = isRecord(answer.body) ? answer.body['hits'] : undefined;
  const hits = isRecord(outer) ? outer['hits'] : undefined;
  if (answer.status !== 200 || !Array.isArray(hits))
    throw new TwinrankError(
      'upstream_answer',
      `${client.address} answered a search for the judged documents with status ${answer.status}: ${reasonOf(answer)}`,
    );
  return hits.filter(isRecord).map((hit) => String(hit['_id']));
}
