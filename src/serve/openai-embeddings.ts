/** `/v1/embeddings` and `/v1/models` as OpenAI's API answers them. */
import type { Call, Endpoint } from './endpoint.js';
import { objectBody, textsField, wordField } from './fields.js';
import { embed, type ModelFacts } from './model.js';
import { textOfEach, vectorBase64, vectorJson } from './numbers.js';
import { requireDimensions, textKindOf } from './embedding-fields.js';

export const OPENAI_ENDPOINTS: readonly Endpoint[] = [
  { path: '/v1/embeddings', dialect: 'openai', answer: embeddings },
];

async function embeddings(given: unknown, call: Call): Promise<string> {
  const body = objectBody(given);
  const texts = textsField(body, 'input', call.limits.maxTexts);
  const format = wordField(body, 'encoding_format', ['float', 'base64']) ?? 'float';
  const kind = textKindOf(body);
  requireDimensions(body, call.model.encoder.dimensions);
  const { vectors, tokens } = await embed(call.model, texts, kind, { tokens: true }, call.signal);
  const data = await textOfEach(vectors, (vector, index) => {
    const embedding = format === 'base64' ? `"${vectorBase64(vector)}"` : vectorJson(vector);
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
  });
  const model = JSON.stringify(call.model.facts.name);
  return `{"object":"list","data":[${data.join(',')}],"model":${model},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`;
}

/** An entry of `/v1/models`; `since` is a Unix time in seconds. */
export function modelEntry({ name }: ModelFacts, since: number): unknown {
  return { id: name, object: 'model', created: since, owned_by: 'twinrank' };
}
