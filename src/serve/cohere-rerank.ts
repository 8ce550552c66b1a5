/** `/v1/rerank` and `/v2/rerank`: the request of Cohere and Jina, and an answer that both kinds of client read. */
import { randomUUID } from 'node:crypto';
import type { Call, Endpoint } from './endpoint.js';
import {
  countField,
  flagField,
  InvalidField,
  listField,
  objectBody,
  textField,
  type Body,
} from './fields.js';
import { rankDocuments, type Ranking } from './model.js';
import { decimal } from './numbers.js';

/** Documents that Cohere counts as one search. */
const DOCUMENTS_OF_A_SEARCH = 100;

interface RerankRequest {
  readonly query: string;
  /** What the model sees of each document. */
  readonly texts: readonly string[];
  /** Each document as it is given back. */
  readonly documents: readonly Body[];
  readonly topN: number;
  readonly returnDocuments: boolean;
}

export const COHERE_ENDPOINTS: readonly Endpoint[] = [
  { path: '/v1/rerank', dialect: 'cohere', answer: (body, call) => rerank(body, call, '1') },
  { path: '/v2/rerank', dialect: 'cohere', answer: (body, call) => rerank(body, call, '2') },
];

async function rerank(body: unknown, call: Call, version: '1' | '2'): Promise<string> {
  const request = readRequest(objectBody(body), call.limits.maxTexts, version);
  // Jina's answer, which has the path of version 1, says the number of tokens.
  const wishes = { tokens: version === '1' };
  const ranking = await rankDocuments(call.model, request.query, request.texts, wishes, call.signal);
  return replyText(request, ranking, call.model.facts.name, version);
}

/** Throws InvalidField or `body_too_large`. */
function readRequest(body: Body, limit: number, version: '1' | '2'): RerankRequest {
  const query = textField(body, 'query');
  const rankFields = version === '1' ? rankFieldsOf(body) : undefined;
  const documents = listField(body, 'documents', limit).map((entry, i) => {
    if (typeof entry === 'string') return { text: entry };
    if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as Body;
    throw new InvalidField(`documents[${i}]`, 'must be a text or an object with a "text".');
  });
  const texts = documents.map((document, i) => documentText(document, rankFields, i));
  const topN = countField(body, 'top_n') ?? documents.length;
  // Version 2 of the original has no documents in its answer.
  const returnDocuments = version === '1' && flagField(body, 'return_documents', false);
  // How the original cuts long documents up; here the model looks at its first tokens in any case.
  countField(body, 'max_chunks_per_doc');
  countField(body, 'max_tokens_per_doc');
  return { query, texts, documents, topN, returnDocuments };
}

function rankFieldsOf(body: Body): readonly string[] | undefined {
  const value = body['rank_fields'] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string'))
    return value;
  throw new InvalidField('rank_fields', 'must be a list of field names.');
}

function documentText(document: Body, rankFields: readonly string[] | undefined, index: number): string {
  if (rankFields !== undefined && Object.keys(document).some((key) => rankFields.includes(key))) {
    const values = rankFields.map((field) => document[field]).filter((value) => value !== undefined);
    if (values.every((value) => typeof value === 'string')) return values.join('\n');
    throw new InvalidField(`documents[${index}]`, 'must hold texts in the fields of "rank_fields".');
  }
  const { text } = document as { readonly text?: unknown };
  if (typeof text === 'string') return text;
  throw new InvalidField(`documents[${index}].text`, text === undefined ? 'is missing.' : 'must be a text.');
}

function replyText(
  request: RerankRequest,
  { documents, tokens }: Ranking,
  model: string,
  version: '1' | '2',
): string {
  const results = documents.slice(0, request.topN).map(({ index, probability }) => {
    const document = request.returnDocuments ? `,"document":${JSON.stringify(request.documents[index])}` : '';
    return `{"index":${index},"relevance_score":${decimal(probability)}${document}}`;
  });
  const meta = {
    api_version: { version },
    billed_units: { search_units: Math.ceil(request.texts.length / DOCUMENTS_OF_A_SEARCH) },
  };
  const usage = version === '1' ? `,"usage":{"total_tokens":${tokens},"prompt_tokens":${tokens}}` : '';
  return `{"id":"${randomUUID()}","model":${JSON.stringify(model)},"results":[${results.join(',')}],"meta":${JSON.stringify(meta)}${usage}}`;
}
