/** Builds the caller's answer from the engine's bytes: hits reordered and cut to the page, scores patched, vectors cut. */
import { cut, insertAt, pieces, replaceRange, type Edit } from '../search-engine/splice.js';
import type { Range } from '../search-engine/json-scan.js';
import type { HitRanges, ResponseRanges } from './search-response.js';

/** What the answer becomes. Positions count in the engine's list. */
export interface Rearrangement {
  /** Positions of the page's hits, in order. */
  readonly positions: readonly number[];
  /** New `_score` of a position; undefined leaves the engine's. */
  readonly scoreOf: (position: number) => number | undefined;
  /** New `max_score`; undefined leaves the engine's. */
  readonly maxScore: number | undefined;
  /** JSON to be shown as the one value of `fields._twinrank`; undefined shows none. */
  readonly shownOf?: (position: number) => string | undefined;
  /** Ranges of a hit that the caller shall not see. */
  readonly cutsOf: (hit: HitRanges) => readonly Range[];
  /** Milliseconds of the whole request; undefined leaves the engine's own. */
  readonly took: number | undefined;
}

/** Pieces of the new body; concatenated they are the answer. */
export function spliceResponse(bytes: Buffer, ranges: ResponseRanges, change: Rearrangement): Buffer[] {
  const { hits, array } = ranges;
  const edits: Edit[] = [];
  if (ranges.took !== undefined && change.took !== undefined)
    edits.push(replaceRange(ranges.took, String(change.took)));
  if (ranges.maxScore !== undefined && change.maxScore !== undefined) {
    edits.push(replaceRange(ranges.maxScore, jsonNumber(change.maxScore)));
  }
  const before = edits.filter((edit) => edit.end <= array.start);
  const after = edits.filter((edit) => edit.start >= array.end);
  const first = hits[0];
  const last = hits.at(-1);
  // Layout between hits (pretty printing) belongs to places, not to hits.
  const result = pieces(bytes, 0, first?.start ?? array.end, before);
  change.positions.forEach((position, place) => {
    const hit = hits[position];
    if (hit === undefined) return;
    if (place > 0) result.push(bytes.subarray(hits[place - 1]?.end, hits[place]?.start));
    result.push(...hitPieces(bytes, hit, position, change));
  });
  result.push(...pieces(bytes, last?.end ?? array.end, bytes.length, after));
  return result;
}

function hitPieces(bytes: Buffer, hit: HitRanges, position: number, change: Rearrangement): Buffer[] {
  const score = change.scoreOf(position);
  const shown = change.shownOf?.(position);
  const edits: Edit[] = [];
  const cuts = change.cutsOf(hit);
  const fieldsCut = cuts.find(
    (range) =>
      hit.fields !== undefined && range.start <= hit.fields.keyStart && range.end > hit.fields.keyEnd,
  );
  for (const range of cuts) if (shown === undefined || range !== fieldsCut) edits.push(cut(range));
  if (score !== undefined) {
    if (hit.score !== undefined) edits.push(replaceRange(hit.score, jsonNumber(score)));
    else edits.push(insertAt(hit.start + 1, `"_score":${jsonNumber(score)},`));
  }
  if (shown !== undefined) edits.push(showInFields(hit, `"_twinrank":[${shown}]`, fieldsCut !== undefined));
  return pieces(bytes, hit.start, hit.end, edits);
}

/** Puts a member into `fields`, which is made where it is missing and emptied where only we had filled it. */
function showInFields(hit: HitRanges, member: string, onlyOurs: boolean): Edit {
  if (hit.fields === undefined) return insertAt(hit.end - 1, `,"fields":{${member}}`);
  if (onlyOurs) return replaceRange(hit.fields, `{${member}}`);
  // Engines leave out an empty `fields`, so there is a member to separate from.
  return insertAt(hit.fields.start + 1, `${member},`);
}

/** A number as engines print floats: always with a decimal point or exponent, so that typed clients read a float. */
export function jsonNumber(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
