/**
 * Folds for cross-validation that share no text: a head that has seen one text of a pair would be measured on what
 * it knows already. Pure.
 */
import { createRandom, shuffled } from '../random.js';

export interface Folds {
  readonly count: number;
  /** Fold in which each row is held out. */
  readonly of: Int32Array;
  /** Bit f: the row is not trained on for fold f, for it is held out there or shares a text with one that is. */
  readonly withheld: Uint32Array;
}

/**
 * Folds of pairs, where `left` and `right` number their texts. Pairs that are linked by texts go to one fold. Where
 * that would make a fold much too large, as a few very common texts do, they are dealt out by their first text, and
 * a pair that shares a text with a held-out one is left out of that fold's training.
 */
export function pairFolds(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  count: number,
  seed: number,
): Folds {
  const rows = left.length;
  const roots = componentsOf(left, right);
  const all = Array.from({ length: rows }, (_, row) => row);
  const limit = rows / count / 2;
  const groups = grouped(all, (row) => roots[left[row] as number] as number).flatMap((members) =>
    members.length <= limit ? [members] : grouped(members, (row) => left[row] as number),
  );
  const of = dealt(groups, rows, count, seed);
  return { count, of, withheld: withheldOf(left, right, of) };
}

/** Folds of lists, where `queries` numbers the query of each: a query is held out with all rows of all its lists. */
export function listFolds(
  starts: ArrayLike<number>,
  queries: ArrayLike<number>,
  count: number,
  seed: number,
): Folds {
  const lists = starts.length - 1;
  const order = shuffled([...new Set(Array.from(queries))], createRandom(seed));
  const foldOf = new Map(order.map((query, place) => [query, place % count]));
  const of = new Int32Array(starts[lists] ?? 0);
  for (let list = 0; list < lists; list++)
    of.fill(foldOf.get(queries[list] as number) ?? 0, starts[list], starts[list + 1]);
  return { count, of, withheld: Uint32Array.from(of, (fold) => (1 << fold) >>> 0) };
}

function grouped(rows: readonly number[], keyOf: (row: number) => number): number[][] {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** Puts groups, in random order, each into the fold that holds the fewest rows. */
function dealt(
  groups: readonly (readonly number[])[],
  rows: number,
  count: number,
  seed: number,
): Int32Array {
  const sizes = new Array<number>(count).fill(0);
  const of = new Int32Array(rows);
  for (const group of shuffled(groups, createRandom(seed))) {
    const fold = sizes.indexOf(Math.min(...sizes));
    for (const row of group) of[row] = fold;
    sizes[fold] = (sizes[fold] as number) + group.length;
  }
  return of;
}

function withheldOf(left: ArrayLike<number>, right: ArrayLike<number>, of: Int32Array): Uint32Array {
  const folds = new Map<number, number>();
  of.forEach((fold, row) => {
    for (const text of [left[row] as number, right[row] as number])
      folds.set(text, (folds.get(text) ?? 0) | (1 << fold));
  });
  return Uint32Array.from(
    of,
    (_, row) => ((folds.get(left[row] as number) ?? 0) | (folds.get(right[row] as number) ?? 0)) >>> 0,
  );
}

/** Representative of each text's component, by union with path halving. */
function componentsOf(left: ArrayLike<number>, right: ArrayLike<number>): Int32Array {
  let texts = 0;
  for (let row = 0; row < left.length; row++)
    texts = Math.max(texts, left[row] as number, right[row] as number);
  const parent = Int32Array.from({ length: texts + 1 }, (_, text) => text);
  const find = (text: number): number => {
    let at = text;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  for (let row = 0; row < left.length; row++) parent[find(left[row] as number)] = find(right[row] as number);
  return parent.map((_, text) => find(text));
}
