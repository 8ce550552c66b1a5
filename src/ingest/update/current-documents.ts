/**
 * Reads stored documents with the caller's own rights, as they are now (realtime), the wishes of one turn in one
 * request for each index.
 */
import { TwinrankError } from '../../errors.js';
import type { Exchange } from '../../http/pass-through.js';
import type { UpstreamConnection } from '../../http/upstream.js';
import {
  isArray,
  isObject,
  JsonScanError,
  memberNamed,
  scanArray,
  scanDocument,
  scanObject,
  stringAt,
  type Range,
} from '../../search-engine/json-scan.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { postAsCaller } from './ask-as-caller.js';
import type { CurrentDocument, ReadCurrent, UpdateTarget } from './vectorize-update.js';

/** Documents asked for in one request. */
const MAX_DOCUMENTS = 500;
/** An answer above this is not waited for: its documents count as unread. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

interface Wish {
  readonly target: UpdateTarget;
  readonly fields: readonly string[];
  resolve(document: CurrentDocument): void;
  reject(error: unknown): void;
}

/**
 * A reader for one request of a caller.
 * @param connection not one on which a body that waits for what is read here is under way
 */
export function createCurrentReader(
  exchange: Exchange,
  connection: UpstreamConnection = exchange.connection,
): ReadCurrent {
  let waiting: Wish[] = [];
  const readAll = (): void => {
    const wishes = waiting;
    waiting = [];
    for (const group of groups(wishes)) void readGroup(exchange, connection, group);
  };
  return (target, fields) =>
    new Promise((resolve, reject) => {
      // What is asked for in the same turn is still to come.
      if (waiting.length === 0) setImmediate(readAll);
      waiting.push({ target, fields, resolve, reject });
    });
}

/** Wishes by index, since not every engine lets a body name one, in portions. */
function groups(wishes: readonly Wish[]): Wish[][] {
  const byIndex = new Map<string, Wish[]>();
  for (const wish of wishes) {
    const known = byIndex.get(wish.target.index);
    if (known === undefined) byIndex.set(wish.target.index, [wish]);
    else known.push(wish);
  }
  return [...byIndex.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MAX_DOCUMENTS) }, (_, i) =>
      group.slice(i * MAX_DOCUMENTS, (i + 1) * MAX_DOCUMENTS),
    ),
  );
}

async function readGroup(
  exchange: Exchange,
  connection: UpstreamConnection,
  wishes: readonly Wish[],
): Promise<void> {
  const index = wishes[0]?.target.index ?? '';
  const docs = wishes.map(({ target, fields }) => ({
    _id: target.id,
    ...(target.routing === undefined ? {} : { routing: target.routing }),
    _source: fields,
  }));
  try {
    const path = `/${encodeExpression(index)}/_mget`;
    const body = Buffer.from(JSON.stringify({ docs }));
    const answer = await postAsCaller(exchange, connection, path, body, MAX_ANSWER_BYTES);
    const documents = documentsOf(answer.status, answer.body, wishes.length);
    wishes.forEach((wish, i) => {
      wish.resolve(documents[i] ?? { state: 'unread', reason: 'no answer' });
    });
  } catch (error) {
    for (const wish of wishes)
      if (exchange.signal.aborted || !(error instanceof TwinrankError)) wish.reject(error);
      else wish.resolve({ state: 'unread', reason: error.message });
  }
}

/** The documents of an `_mget` answer, in order. */
export function documentsOf(status: number, body: Buffer, count: number): CurrentDocument[] {
  // An index that is not there yet holds no document.
  if (status === 404) return Array.from({ length: count }, () => ({ state: 'missing' }));
  try {
    const docs = status === 200 ? memberNamed(body, scanDocument(body).members, 'docs') : undefined;
    if (docs !== undefined && isArray(body, docs))
      return scanArray(body, docs.start).elements.map((element) => documentOf(body, element));
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
  }
  return Array.from({ length: count }, () => ({ state: 'unread', reason: `status ${status}` }));
}

function documentOf(body: Buffer, element: Range): CurrentDocument {
  const { members } = scanObject(body, element.start);
  const text = (name: string): string | undefined => {
    const member = memberNamed(body, members, name);
    return member && body.toString('utf8', member.start, member.end);
  };
  const source = memberNamed(body, members, '_source');
  if (text('found') === 'true' && source !== undefined && isObject(body, source))
    return {
      state: 'found',
      source: body.subarray(source.start, source.end),
      version: Number(text('_version')),
      seqNo: Number(text('_seq_no')),
      primaryTerm: Number(text('_primary_term')),
    };
  if (text('found') === 'false') return { state: 'missing' };
  const error = memberNamed(body, members, 'error');
  const type =
    error && isObject(body, error)
      ? memberNamed(body, scanObject(body, error.start).members, 'type')
      : undefined;
  const reason = type === undefined ? 'no source' : stringAt(body, type.start, type.end);
  return reason === 'index_not_found_exception' ? { state: 'missing' } : { state: 'unread', reason };
}
