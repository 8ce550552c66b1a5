/** `/rerank` and `/embed` as Hugging Face's text-embeddings-inference (TEI) answers them, and its `/info`. */
import { TwinrankError } from '../errors.js';
import type { TextKind } from '../model/encoder.js';
import { normalizeRows } from '../model/unit-length.js';
import type { Call, Endpoint, EndpointLimits } from './endpoint.js';
import {
  flagField,
  InvalidField,
  listField,
  objectBody,
  textField,
  textsField,
  wordField,
} from './fields.js';
import type { Body } from './fields.js';
import { embed, rankDocuments, type ModelFacts } from './model.js';
import { decimal, textOfEach, vectorJson } from './numbers.js';
import { requireDimensions, textKindOf } from './embedding-fields.js';

export const TEI_ENDPOINTS: readonly Endpoint[] = [
  { path: '/rerank', dialect: 'tei', answer: rerank },
  { path: '/embed', dialect: 'tei', answer: embedTexts },
];

async function rerank(given: unknown, call: Call): Promise<string> {
  const body = objectBody(given);
  const query = textField(body, 'query');
  const texts = listField(body, 'texts', call.limits.maxTexts).map((entry, i) => {
    if (typeof entry === 'string') return entry;
    throw new InvalidField(`texts[${i}]`, 'must be a text.');
  });
  const rawScores = flagField(body, 'raw_scores', false);
  const returnText = flagField(body, 'return_text', false);
  if (mustNotCut(body)) {
    await refuseLong(call, 'query', [query], 'query');
    await refuseLong(call, 'texts', texts, 'document');
  }
  const { documents } = await rankDocuments(call.model, query, texts, { tokens: false }, call.signal);
  const ranks = documents.map(({ index, probability, logOdds }) => {
    const text = returnText ? `,"text":${JSON.stringify(texts[index])}` : '';
    return `{"index":${index}${text},"score":${decimal(rawScores ? logOdds : probability)}}`;
  });
  return `[${ranks.join(',')}]`;
}

async function embedTexts(given: unknown, call: Call): Promise<string> {
  const body = objectBody(given);
  const texts = textsField(body, 'inputs', call.limits.maxTexts);
  const kind = textKindOf(body);
  const normalize = flagField(body, 'normalize', true);
  const { normalized } = call.model.facts;
  if (!normalize && normalized)
    throw new InvalidField('normalize', 'cannot be false: the vectors of this model have length 1.');
  requireDimensions(body, call.model.encoder.dimensions);
  if (mustNotCut(body)) await refuseLong(call, 'inputs', texts, kind);
  const { vectors } = await embed(call.model, texts, kind, { tokens: false }, call.signal);
  const rows = await textOfEach(vectors, (vector) =>
    vectorJson(normalize && !normalized ? ofLengthOne(vector) : vector),
  );
  return `[${rows.join(',')}]`;
}

/** What `/info` says. TEI serves an encoder or a reranker; this is both. */
export function teiInfo(
  facts: ModelFacts,
  limits: EndpointLimits & { readonly maxConcurrentRequests: number },
  version: string,
): unknown {
  return {
    model_id: facts.name,
    model_sha: null,
    model_dtype: 'float32',
    model_type: {
      embedding: { pooling: 'mean' },
      reranker: { id2label: { 0: 'different', 1: 'similar' }, label2id: { different: 0, similar: 1 } },
    },
    max_concurrent_requests: limits.maxConcurrentRequests,
    max_input_length: facts.maxTokens,
    max_batch_tokens: limits.maxTexts * facts.maxTokens,
    max_batch_requests: null,
    max_client_batch_size: limits.maxTexts,
    auto_truncate: true,
    tokenization_workers: 1,
    version,
    sha: null,
    docker_label: null,
  };
}

/** Long texts are cut unless the caller forbids it. Throws InvalidField. */
function mustNotCut(body: Body): boolean {
  if (wordField(body, 'truncation_direction', ['right', 'Right', 'left', 'Left'])?.toLowerCase() === 'left')
    throw new InvalidField('truncation_direction', 'cannot be left: texts are cut at their end.');
  return !flagField(body, 'truncate', true);
}

async function refuseLong(
  { model, signal }: Call,
  field: string,
  texts: readonly string[],
  kind: TextKind,
): Promise<void> {
  const { maxTokens } = model.facts;
  const counts = await model.counter.count(texts, { kind, signal });
  const long = counts.findIndex((count) => count > maxTokens);
  if (long < 0) return;
  throw new TwinrankError(
    'body_too_large',
    `"${field}" must have at most ${maxTokens} tokens a text; text ${long} has more. Set "truncate" to cut it.`,
  );
}

function ofLengthOne(vector: Float32Array): Float32Array {
  // The encoder's cache may hold the given one.
  const copy = vector.slice();
  normalizeRows(copy, copy.length);
  return copy;
}
