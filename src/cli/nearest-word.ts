/** The word that was probably meant. Pure. */

/** The one of `words` with the fewest letters to change, if that is few enough for a slip; else undefined. */
export function nearestWord(given: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = 1 + Math.max(1, Math.floor(given.length / 3));
  for (const word of words) {
    const off = distance(given, word);
    if (off < least) [best, least] = [word, off];
  }
  return best;
}

/** ` Did you mean "WORD"?` with a space before it, or nothing. */
export function didYouMean(given: string, words: Iterable<string>, prefix = ''): string {
  const word = nearestWord(given, words);
  return word === undefined ? '' : ` Did you mean "${prefix}${word}"?`;
}

/** Letters to insert, leave out, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
  let [earlier, previous] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) {
      const isSame = a[i - 1] === b[k - 1];
      let least = Math.min(
        (row[k - 1] as number) + 1,
        (previous[k] as number) + 1,
        (previous[k - 1] as number) + (isSame ? 0 : 1),
      );
      if (i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1])
        least = Math.min(least, (earlier[k - 2] as number) + 1);
      row.push(least);
    }
    [earlier, previous] = [previous, row];
  }
  return previous[b.length] as number;
}
