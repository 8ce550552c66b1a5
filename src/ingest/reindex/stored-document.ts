/** Documents cut out of the engine's answers by their bytes. */
import { TwinrankError } from '../../errors.js';
import { numberIn, rawIn, textIn } from '../../search-engine/json-members.js';
import {
  isArray,
  isObject,
  JsonScanError,
  keyIs,
  memberNamed,
  scanDocument,
  scanElements,
  scanObject,
  type Member,
  type Range,
} from '../../search-engine/json-scan.js';

/** Why nothing is done with a document whose bytes are no JSON. */
export const UNREADABLE_SOURCE = 'Its _source is not JSON in UTF-8. Write it again in that form.';

/** Names a document. */
export interface DocumentName {
  /** Concrete index. */
  readonly index: string;
  readonly id: string;
  readonly routing?: string | undefined;
}

/** A document as the engine holds it. */
export interface StoredDocument extends DocumentName {
  readonly seqNo: number;
  readonly primaryTerm: number;
  readonly version: number;
  /** `_source`, a view of the answer; undefined where it was not asked for or cannot be read. */
  readonly source: Buffer | undefined;
}

interface Hit extends Range {
  readonly members: readonly Member[];
}

/** What a search answered. */
export interface FoundPage {
  readonly documents: StoredDocument[];
  readonly pitId: string | undefined;
  /** A shard failed or ran out of time: documents may be missing. */
  readonly isPartial: boolean;
}

/** Reads a search answer. Throws `upstream_answer` where it is none. */
export function readFound(body: Buffer): FoundPage {
  return reading(() => {
    let hits: StoredDocument[] | undefined;
    const { members } = scanDocument(body, (keyStart, keyEnd, start) => {
      if (!keyIs(body, keyStart, keyEnd, 'hits')) return undefined;
      return scanObject(body, start, (innerStart, innerEnd, listStart) => {
        if (!keyIs(body, innerStart, innerEnd, 'hits')) return undefined;
        const list = scanElements(body, listStart, (at) => hitAt(body, at));
        hits = list.elements.map((hit) => documentOf(body, hit.members));
        return list.end;
      }).end;
    });
    if (hits === undefined) throw new JsonScanError('hits', body.length);
    const shards = memberNamed(body, members, '_shards');
    const failed =
      shards !== undefined && isObject(body, shards)
        ? numberIn(body, scanObject(body, shards.start).members, 'failed')
        : 0;
    return {
      documents: hits,
      pitId: textIn(body, members, 'pit_id'),
      isPartial: failed > 0 || rawIn(body, members, 'timed_out') === 'true',
    };
  });
}

/** One answer of a multi-get: the document, that it is gone, or why the engine would not say. */
export type Got =
  | { readonly kind: 'document'; readonly document: StoredDocument }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reads a multi-get answer, in the order asked. Throws `upstream_answer` where it is none. */
export function readGot(body: Buffer): Got[] {
  return reading(() => {
    const { members } = scanDocument(body);
    const docs = memberNamed(body, members, 'docs');
    if (docs === undefined || !isArray(body, docs)) throw new JsonScanError('docs', 0);
    return scanElements(body, docs.start, (at) => hitAt(body, at)).elements.map((hit): Got => {
      const error = memberNamed(body, hit.members, 'error');
      if (error !== undefined) return { kind: 'failed', reason: reasonAt(body, error) };
      if (rawIn(body, hit.members, 'found') !== 'true') return { kind: 'gone' };
      return { kind: 'document', document: documentOf(body, hit.members) };
    });
  });
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    throw new TwinrankError('upstream_answer', `The engine's answer cannot be read: ${error.message}.`, {
      cause: error,
    });
  }
}

/** True for the error of an answer that is not JSON, be it for one document in it. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof TwinrankError && error.cause instanceof JsonScanError;
}

function hitAt(body: Buffer, at: number): Hit {
  const { members, end } = scanObject(body, at);
  return { start: at, end, members };
}

function documentOf(body: Buffer, members: readonly Member[]): StoredDocument {
  const source = memberNamed(body, members, '_source');
  return {
    index: textIn(body, members, '_index') ?? '',
    id: textIn(body, members, '_id') ?? '',
    routing: textIn(body, members, '_routing'),
    seqNo: numberIn(body, members, '_seq_no'),
    primaryTerm: numberIn(body, members, '_primary_term'),
    version: numberIn(body, members, '_version'),
    source: source === undefined ? undefined : body.subarray(source.start, source.end),
  };
}

function reasonAt(body: Buffer, error: Member): string {
  const reason = isObject(body, error)
    ? textIn(body, scanObject(body, error.start).members, 'reason')
    : undefined;
  return reason ?? body.toString('utf8', error.start, Math.min(error.end, error.start + 300));
}
