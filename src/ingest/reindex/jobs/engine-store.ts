/** Job documents in the engine itself, in an index of their own. */
import { TwinrankError, type ErrorCode } from '../../../errors.js';
import { reasonOf, type EngineAnswer, type EngineClient } from '../../../search-engine/client.js';
import { isRecord } from '../../../search-engine/json-value.js';
import type { DocumentStore, DocumentVersion, StoredDocument } from './document-store.js';

const JOBS_INDEX = '.twinrank-jobs';

const PATH = `/${JOBS_INDEX}`;

/** Only what is listed or filtered by is mapped; bodies are for reading by id. */
const MAPPINGS = {
  dynamic: false,
  properties: {
    job: { type: 'keyword' },
    kind: { type: 'keyword' },
    state: { type: 'keyword' },
    updated: { type: 'date' },
    body: { type: 'object', enabled: false },
  },
};
const SETTINGS = { number_of_shards: 1, auto_expand_replicas: '0-1' };
/** Ids of one read. */
const READ_AT_ONCE = 1_000;
const MOST_LISTED = 1_000;

/** A store over the engine's document API. */
export function createEngineStore(client: EngineClient): DocumentStore {
  const write = async (
    path: string,
    body: Record<string, unknown>,
    signal: AbortSignal | undefined,
  ): Promise<DocumentVersion | undefined> => {
    const answer = await client.request({ method: 'PUT', path: PATH + path, body, signal });
    if (answer.status === 409) return undefined;
    if (answer.status >= 300) throw refused(client, 'write', answer);
    return versionOf(answer.body) ?? lost(client);
  };
  return {
    async prepare(signal) {
      const exists = await client.request({ method: 'HEAD', path: PATH, signal });
      if (exists.status === 200) return;
      const make = (settings: Record<string, unknown>): Promise<EngineAnswer> =>
        client.request({
          method: 'PUT',
          path: PATH,
          body: { settings, mappings: MAPPINGS },
          signal,
        });
      let answer = await make({ ...SETTINGS, hidden: true });
      // Engines before 7.7 know no hidden indices.
      if (answer.status === 400 && /hidden/.test(reasonOf(answer))) answer = await make(SETTINGS);
      if (answer.status < 300 || /resource_already_exists/.test(reasonOf(answer))) return;
      throw refused(client, 'make', answer);
    },
    async get(ids, signal) {
      const found: (StoredDocument | undefined)[] = [];
      for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
        const some = ids.slice(at, at + READ_AT_ONCE);
        const answer = await client.request({
          method: 'POST',
          path: `${PATH}/_mget`,
          body: { ids: some },
          signal,
        });
        if (answer.status === 404) found.push(...some.map(() => undefined));
        else if (answer.status !== 200) throw refused(client, 'read', answer);
        else found.push(...documentsOf(client, answer, some.length));
      }
      return found;
    },
    create: (id, document, signal) => write(`/_create/${encodeURIComponent(id)}`, { ...document }, signal),
    replace: (id, document, { seqNo, primaryTerm }, signal) =>
      write(
        `/_doc/${encodeURIComponent(id)}?if_seq_no=${seqNo}&if_primary_term=${primaryTerm}`,
        { ...document },
        signal,
      ),
    async remove(ids, signal) {
      if (ids.length === 0) return;
      const lines = ids.map((id) => `${JSON.stringify({ delete: { _id: id } })}\n`).join('');
      const answer = await client.request({
        method: 'POST',
        path: `${PATH}/_bulk`,
        body: lines,
        headers: { 'content-type': 'application/x-ndjson' },
        signal,
      });
      if (answer.status !== 200 && answer.status !== 404) throw refused(client, 'clear', answer);
    },
    async list(signal) {
      await client.request({ method: 'POST', path: `${PATH}/_refresh`, signal });
      const answer = await client.request({
        method: 'POST',
        path: `${PATH}/_search?ignore_unavailable=true`,
        body: {
          size: MOST_LISTED,
          seq_no_primary_term: true,
          query: { term: { kind: 'job' } },
          sort: [{ updated: { order: 'desc', unmapped_type: 'date' } }],
        },
        signal,
      });
      if (answer.status === 404) return [];
      if (answer.status !== 200) throw refused(client, 'list', answer);
      return hitsOf(answer.body);
    },
  };
}

function documentsOf(
  client: EngineClient,
  answer: EngineAnswer,
  expected: number,
): (StoredDocument | undefined)[] {
  const docs = isRecord(answer.body) ? answer.body['docs'] : undefined;
  if (!Array.isArray(docs) || docs.length !== expected) return lost(client);
  return docs.map((doc: unknown) => {
    const error = isRecord(doc) ? doc['error'] : undefined;
    if (error === undefined) return storedOf(doc);
    // Only a missing index is as good as a missing document; what cannot be read may well exist.
    if (isRecord(error) && error['type'] === 'index_not_found_exception') return undefined;
    throw refused(client, 'read', { status: 503, body: { error }, headers: {} });
  });
}

function hitsOf(body: unknown): { readonly id: string; readonly stored: StoredDocument }[] {
  const hits = isRecord(body) && isRecord(body['hits']) ? body['hits']['hits'] : undefined;
  return (Array.isArray(hits) ? hits : []).flatMap((hit: unknown) => {
    const stored = storedOf(hit);
    const id = isRecord(hit) ? hit['_id'] : undefined;
    return stored === undefined || typeof id !== 'string' ? [] : [{ id, stored }];
  });
}

function storedOf(doc: unknown): StoredDocument | undefined {
  const version = versionOf(doc);
  const source = isRecord(doc) ? doc['_source'] : undefined;
  return version === undefined || !isRecord(source) ? undefined : { version, document: source };
}

function versionOf(doc: unknown): DocumentVersion | undefined {
  const seqNo = isRecord(doc) ? doc['_seq_no'] : undefined;
  const primaryTerm = isRecord(doc) ? doc['_primary_term'] : undefined;
  return typeof seqNo === 'number' && typeof primaryTerm === 'number' ? { seqNo, primaryTerm } : undefined;
}

/** Answers that another try may better. */
const FOR_NOW: Readonly<Record<number, ErrorCode>> = {
  429: 'overloaded',
  502: 'not_ready',
  503: 'not_ready',
  504: 'not_ready',
};

function refused(client: EngineClient, verb: string, answer: EngineAnswer): TwinrankError {
  const code = FOR_NOW[answer.status] ?? 'upstream_answer';
  const hint =
    answer.status === 401 || answer.status === 403
      ? ` The credentials in the address need to read, write and make the index ${JOBS_INDEX}.`
      : '';
  return new TwinrankError(
    code,
    `${client.address} would not ${verb} ${JOBS_INDEX}: ${reasonOf(answer)}.${hint}`,
  );
}

function lost(client: EngineClient): never {
  throw new TwinrankError(
    'upstream_answer',
    `${client.address} answered in a form that is not the engine's own. Is something else at that address?`,
  );
}
