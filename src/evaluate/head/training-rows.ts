/**
 * The examples that a head is trained on, laid out so that threads can share them: vectors in one table, and each
 * row two places in it with what is known of the pair.
 */

/** Text vectors, one after the other. */
export interface VectorTable {
  readonly dimensions: number;
  /** On shared memory, so that threads need no copy. */
  readonly values: Float32Array<SharedArrayBuffer>;
}

export interface TrainingRows {
  /** `pairs`: a target is the label. `lists`: a row belongs to a query, a target is its share of the query's gain. */
  readonly kind: 'pairs' | 'lists';
  readonly vectors: VectorTable;
  /** Place of each row's query or first text in the table, and of its document or second text. */
  readonly left: Int32Array<SharedArrayBuffer>;
  readonly right: Int32Array<SharedArrayBuffer>;
  readonly target: Float32Array<SharedArrayBuffer>;
  /** Row g to row g + 1 are one list; for pairs each row is its own. Its length is the number of lists and one. */
  readonly starts: Int32Array<SharedArrayBuffer>;
  /** Bit f of a row: it is not trained on for fold f. */
  readonly withheld: Uint32Array<SharedArrayBuffer>;
}

/** Fold number that withholds nothing. */
export const NO_FOLD = -1;
/** Bits of `withheld`. */
export const MOST_FOLDS = 31;

/** A table with room for so many vectors. */
export function vectorTable(count: number, dimensions: number): VectorTable {
  return { dimensions, values: new Float32Array(new SharedArrayBuffer(4 * count * dimensions)) };
}

/** Numbers of a row, in the order of an input file. */
export interface RowNumbers {
  readonly left: ArrayLike<number>;
  readonly right: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  readonly withheld: ArrayLike<number>;
  /** Left out for pairs. */
  readonly starts?: ArrayLike<number>;
}

/** Rows on shared memory. */
export function trainingRows(
  kind: TrainingRows['kind'],
  vectors: VectorTable,
  rows: RowNumbers,
): TrainingRows {
  const starts = rows.starts ?? Int32Array.from({ length: rows.left.length + 1 }, (_, i) => i);
  return {
    kind,
    vectors,
    left: sharedInts(rows.left),
    right: sharedInts(rows.right),
    starts: sharedInts(starts),
    target: sharedFloats(rows.target),
    withheld: sharedBits(rows.withheld),
  };
}

function sharedFloats(values: ArrayLike<number>): Float32Array<SharedArrayBuffer> {
  const floats = new Float32Array(new SharedArrayBuffer(4 * values.length));
  floats.set(values);
  return floats;
}

function sharedBits(values: ArrayLike<number>): Uint32Array<SharedArrayBuffer> {
  const bits = new Uint32Array(new SharedArrayBuffer(4 * values.length));
  bits.set(values);
  return bits;
}

function sharedInts(values: ArrayLike<number>): Int32Array<SharedArrayBuffer> {
  const ints = new Int32Array(new SharedArrayBuffer(4 * values.length));
  ints.set(values);
  return ints;
}

/** Whether the list that begins with this row takes part where `fold` is withheld. */
export function isTrained(withheld: number, fold: number): boolean {
  return fold === NO_FOLD || ((withheld >>> fold) & 1) === 0;
}
