/** Documents by name, as they are this moment (not as of the last refresh). */
import { asTwinrankError, TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { refusal } from './expect-success.js';
import type { ReindexFailure } from './failures.js';
import { answerLimit, patientBytes } from './patient-read.js';
import {
  isUnreadable,
  readGot,
  UNREADABLE_SOURCE,
  type DocumentName,
  type Got,
  type StoredDocument,
} from './stored-document.js';

/**
 * What became of each, in order.
 * @param source which fields of `_source` come along; true for the whole
 */
export async function getDocuments(
  client: EngineClient,
  names: readonly DocumentName[],
  source: boolean | readonly string[],
  signal: AbortSignal,
): Promise<Got[]> {
  if (names.length === 0) return [];
  const docs = names.map(({ index, id, routing }) => ({
    _index: index,
    _id: id,
    ...(routing === undefined ? {} : { routing }),
    _source: source,
  }));
  try {
    const request = { method: 'POST', path: '/_mget', body: { docs }, signal } as const;
    const answer = await patientBytes(client, request, answerLimit(names.length));
    if (answer.status !== 200) throw refusal(`Documents cannot be read from ${client.address}`, answer);
    const got = readGot(answer.body);
    if (got.length === names.length) return got;
    throw new TwinrankError(
      'upstream_answer',
      `${client.address} answered for ${got.length} of ${names.length} documents.`,
    );
  } catch (error) {
    const unreadable = isUnreadable(error);
    if (asTwinrankError(error).code !== 'body_too_large' && !unreadable) throw error;
    if (names.length === 1) {
      if (unreadable) return [{ kind: 'failed', reason: UNREADABLE_SOURCE }];
      throw error;
    }
    const half = Math.ceil(names.length / 2);
    return [
      ...(await getDocuments(client, names.slice(0, half), source, signal)),
      ...(await getDocuments(client, names.slice(half), source, signal)),
    ];
  }
}

/** Documents that are still there, how many are gone, and those that the engine would not show. */
export interface CurrentDocuments {
  readonly documents: readonly StoredDocument[];
  readonly vanished: number;
  readonly failures: readonly ReindexFailure[];
}

/** The documents named, whole, as they are now. */
export async function currentDocuments(
  client: EngineClient,
  names: readonly DocumentName[],
  signal: AbortSignal,
): Promise<CurrentDocuments> {
  const got = await getDocuments(client, names, true, signal);
  const documents: StoredDocument[] = [];
  const failures: ReindexFailure[] = [];
  let vanished = 0;
  names.forEach(({ index, id, routing }, i) => {
    const answer = got[i];
    if (answer?.kind === 'document') documents.push(answer.document);
    else if (answer?.kind === 'gone') vanished++;
    else {
      const reason = answer?.reason ?? 'The engine gave no answer.';
      failures.push({ index, id, routing, status: null, reason });
    }
  });
  return { documents, vanished, failures };
}
