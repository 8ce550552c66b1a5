/** Asks the engine for what a training from judgments needs: hits of the queries, and the texts of documents. */
import { TwinrankError } from '../../errors.js';
import { reasonOf, type EngineClient } from '../../search-engine/client.js';
import { documentText } from '../../search-engine/document-text.js';
import { encodeExpression, settingsByIndex } from '../../search-engine/index-settings.js';
import { isRecord } from '../../search-engine/json-value.js';

/** Documents in one `_mget`. */
const BATCH = 500;

/** Text fields by the index's settings. Throws `bad_config` where it has none, or several that disagree. */
export async function textFieldsOf(
  client: EngineClient,
  index: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.request({
    method: 'GET',
    path: `/${encodeExpression(index)}/_mapping`,
    signal,
  });
  if (answer.status === 404)
    throw new TwinrankError('bad_config', `There is no index "${index}" at ${client.address}.`);
  if (answer.status !== 200)
    throw new TwinrankError(
      'upstream_answer',
      `The mapping of "${index}" cannot be read (${reasonOf(answer)}).`,
    );
  const [first, ...others] = [...settingsByIndex(answer.body).values()].map(({ textFields }) => textFields);
  if (first === undefined) {
    throw new TwinrankError(
      'bad_config',
      `The index "${index}" is not set up for twinrank, so it does not say which fields are encoded. ` +
        'Name them with --text, or set it up: twinrank mapping apply.',
    );
  }
  if (others.some((fields) => fields.join('\n') !== first.join('\n')))
    throw new TwinrankError(
      'bad_config',
      `The indices behind "${index}" encode different fields; name one index.`,
    );
  return first;
}

/** Texts by document id; documents that are not there, or hold no text, are missing. */
export async function textsOf(
  client: EngineClient,
  index: string,
  fields: readonly string[],
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const source = fields.map(encodeURIComponent).join(',');
  for (let at = 0; at < ids.length; at += BATCH) {
    const answer = await client.request({
      method: 'POST',
      path: `/${encodeExpression(index)}/_mget?_source_includes=${source}`,
      body: { ids: ids.slice(at, at + BATCH) },
      signal,
    });
    const docs = isRecord(answer.body) ? answer.body['docs'] : undefined;
    if (answer.status !== 200 || !Array.isArray(docs))
      throw new TwinrankError(
        'upstream_answer',
        `Documents of "${index}" cannot be read (${reasonOf(answer)}).`,
      );
    for (const doc of docs) {
      if (!isRecord(doc) || !isRecord(doc['_source'])) continue;
      const text = documentText(Buffer.from(JSON.stringify(doc['_source'])), 0, fields);
      if (text !== undefined) texts.set(String(doc['_id']), text);
    }
  }
  return texts;
}
