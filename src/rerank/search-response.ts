/** Byte ranges in a search response: the hits, their parts, and the few values that reranking changes. */
import {
  isArray,
  isObject,
  isString,
  JsonScanError,
  memberNamed,
  scanArray,
  scanDocument,
  scanObject,
  stringAt,
  type Member,
  type Range,
} from '../search-engine/json-scan.js';

/** One hit. All ranges lie in the response's bytes. */
export interface HitRanges extends Range {
  readonly index: string;
  readonly score: Range | undefined;
  readonly source: Member | undefined;
  readonly fields: Member | undefined;
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

/** Ranges of a response body. Throws JsonScanError where it is not a search response as the engines write it. */
export function scanResponse(bytes: Buffer): ResponseRanges {
  const { members } = scanDocument(bytes);
  const outer = memberNamed(bytes, members, 'hits');
  if (outer === undefined || !isObject(bytes, outer)) throw new JsonScanError('an object "hits"', 0);
  const inner = scanObject(bytes, outer.start).members;
  const list = memberNamed(bytes, inner, 'hits');
  if (list === undefined || !isArray(bytes, list))
    throw new JsonScanError('an array "hits.hits"', outer.start);
  return {
    took: memberNamed(bytes, members, 'took'),
    maxScore: memberNamed(bytes, inner, 'max_score'),
    array: { start: list.start, end: list.end },
    hits: scanArray(bytes, list.start).elements.map((element) => scanHit(bytes, element)),
  };
}

function scanHit(bytes: Buffer, element: Range): HitRanges {
  const { members } = scanObject(bytes, element.start);
  const index = memberNamed(bytes, members, '_index');
  if (index === undefined || !isString(bytes, index))
    throw new JsonScanError('a hit with its "_index"', element.start);
  return {
    ...element,
    index: stringAt(bytes, index.start, index.end),
    score: memberNamed(bytes, members, '_score'),
    source: memberNamed(bytes, members, '_source'),
    fields: memberNamed(bytes, members, 'fields'),
    members,
  };
}
