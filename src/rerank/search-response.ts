/** Byte ranges in a search response: the hits, their parts, and the few values that reranking changes. One pass. */
import {
  isObject,
  isString,
  JsonScanError,
  keyIs,
  memberNamed,
  scanDocument,
  scanElements,
  scanObject,
  stringAt,
  type Member,
  type Range,
} from '../search-engine/json-scan.js';

/** An object inside a hit, with its members. */
export interface HitPart extends Member {
  readonly members: readonly Member[];
}

/** One hit. All ranges lie in the response's bytes. */
export interface HitRanges extends Range {
  readonly index: string;
  readonly score: Range | undefined;
  /** Undefined where the hit has none, or one that is no object. */
  readonly source: HitPart | undefined;
  readonly fields: HitPart | undefined;
  readonly members: readonly Member[];
}

/** What a response is made of, as far as reranking goes. */
export interface ResponseRanges {
  readonly took: Range | undefined;
  readonly maxScore: Range | undefined;
  /** The array of hits, brackets included. */
  readonly array: Range;
  readonly hits: readonly HitRanges[];
}

/** The engine could not answer for all shards, or not in time. Our wider request may be why, so it does not count. */
export class PartialAnswerError extends Error {}

/**
 * Ranges of a response body. Throws JsonScanError where it is not a search response as the
 * engines write it, PartialAnswerError where it is not the whole one.
 */
export function scanResponse(bytes: Buffer): ResponseRanges {
  let maxScore: Range | undefined;
  let array: Range | undefined;
  let hits: readonly HitRanges[] = [];
  const readHits = (start: number): number => {
    const { members, end } = scanObject(bytes, start, (keyStart, keyEnd, at) => {
      if (!keyIs(bytes, keyStart, keyEnd, 'hits')) return undefined;
      const list = scanElements(bytes, at, (hitStart) => scanHit(bytes, hitStart));
      hits = list.elements;
      array = { start: at, end: list.end };
      return list.end;
    });
    maxScore = memberNamed(bytes, members, 'max_score');
    return end;
  };
  const { members } = scanDocument(bytes, (keyStart, keyEnd, start) =>
    keyIs(bytes, keyStart, keyEnd, 'hits') ? readHits(start) : undefined,
  );
  requireWhole(bytes, members);
  if (array === undefined) throw new JsonScanError('"hits.hits"', 0);
  return { took: memberNamed(bytes, members, 'took'), maxScore, array, hits };
}

function requireWhole(bytes: Buffer, members: readonly Member[]): void {
  const timedOut = memberNamed(bytes, members, 'timed_out');
  const shards = memberNamed(bytes, members, '_shards');
  const failed =
    shards !== undefined && isObject(bytes, shards)
      ? memberNamed(bytes, scanObject(bytes, shards.start).members, 'failed')
      : undefined;
  const textAt = (member: Member | undefined): string =>
    member === undefined ? '' : bytes.toString('latin1', member.start, member.end);
  if (textAt(timedOut) === 'true' || Number(textAt(failed)) > 0)
    throw new PartialAnswerError('a partial answer');
}

const OPEN_BRACE = 0x7b;

function scanHit(bytes: Buffer, start: number): HitRanges {
  let sourceMembers: readonly Member[] | undefined;
  let fieldsMembers: readonly Member[] | undefined;
  const { members, end } = scanObject(bytes, start, (keyStart, keyEnd, at) => {
    if (bytes[at] !== OPEN_BRACE) return undefined;
    const isSource = keyIs(bytes, keyStart, keyEnd, '_source');
    if (!isSource && !keyIs(bytes, keyStart, keyEnd, 'fields')) return undefined;
    const part = scanObject(bytes, at);
    if (isSource) sourceMembers = part.members;
    else fieldsMembers = part.members;
    return part.end;
  });
  const index = memberNamed(bytes, members, '_index');
  if (index === undefined || !isString(bytes, index))
    throw new JsonScanError('a hit with its "_index"', start);
  return {
    start,
    end,
    index: stringAt(bytes, index.start, index.end),
    score: memberNamed(bytes, members, '_score'),
    source: partOf(memberNamed(bytes, members, '_source'), sourceMembers),
    fields: partOf(memberNamed(bytes, members, 'fields'), fieldsMembers),
    members,
  };
}

function partOf(member: Member | undefined, members: readonly Member[] | undefined): HitPart | undefined {
  if (member === undefined || members === undefined) return undefined;
  const { keyStart, keyEnd, start, end } = member;
  return { keyStart, keyEnd, start, end, members };
}
