/** Reads documents at random and judges their vectors, as reindex would. */
import type { EncodeReason } from '../../ingest/reindex/judge.js';
import { vectorState } from '../../ingest/vector-state.js';
import { scanResponse } from '../../rerank/search-response.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { JsonScanError } from '../../search-engine/json-scan.js';
import { asRecord } from '../../search-engine/json-value.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { TwinrankError } from '../../errors.js';
import { ask, bodyOf, whyOf } from './reply.js';
import type { VectorSample } from './vectors.js';

export interface Documents {
  readonly sample: VectorSample;
  /** Texts of some of them, to search for. */
  readonly texts: readonly string[];
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const TEXTS = 20;

/** Up to `count` documents of an index. A text says why they cannot be had. */
export async function sampleDocuments(
  client: EngineClient,
  index: string,
  settings: IndexSettings,
  count: number,
  signal: AbortSignal,
): Promise<Documents | string> {
  const path = `/${encodeExpression(index)}`;
  const counted = await ask(client, { method: 'GET', path: `${path}/_count`, signal });
  const documents = asRecord(bodyOf(counted))['count'];
  if (typeof documents !== 'number') return whyOf(counted);
  // Whole documents, since a filtered _source is printed anew and its text might differ from what was encoded.
  const query = { function_score: { query: { match_all: {} }, random_score: {} } };
  for (let size = count; size >= 1; size = Math.floor(size / 4)) {
    try {
      const request = { method: 'POST', path: `${path}/_search`, body: { size, query }, signal } as const;
      const answer = await client.bytes(request, MAX_ANSWER_BYTES);
      if (answer.status !== 200) return `status ${answer.status}`;
      return { ...judgeAll(answer.body, settings, documents) };
    } catch (error) {
      if (error instanceof TwinrankError && error.code === 'body_too_large') continue;
      signal.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    }
  }
  return `a document is larger than ${MAX_ANSWER_BYTES} bytes`;
}

function judgeAll(body: Buffer, settings: IndexSettings, documents: number): Documents {
  const { hits } = scanResponse(body);
  const unfit: Partial<Record<EncodeReason, number>> = {};
  const counts = { fresh: 0, noText: 0, toRemove: 0, unreadable: 0 };
  const texts: string[] = [];
  for (const { source } of hits) {
    const state =
      source === undefined ? undefined : stateOf(body.subarray(source.start, source.end), settings);
    if (state === undefined) counts.unreadable++;
    else if (state.text === undefined) counts[state.vector === 'missing' ? 'noText' : 'toRemove']++;
    else {
      if (texts.length < TEXTS) texts.push(state.text);
      if (state.vector === 'fresh') counts.fresh++;
      else unfit[state.vector] = (unfit[state.vector] ?? 0) + 1;
    }
  }
  return {
    sample: { documents: Math.max(documents, hits.length), sampled: hits.length, unfit, ...counts },
    texts,
  };
}

function stateOf(source: Buffer, settings: IndexSettings): ReturnType<typeof vectorState> | undefined {
  try {
    return vectorState(source, settings);
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}
