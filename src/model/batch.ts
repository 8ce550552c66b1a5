/**
 * Chooses which waiting texts are encoded together. A batch is a rectangle: every text is padded to the
 * longest, so its cost is count x longest. Grouping texts of like length keeps the padding small; the budget
 * keeps one batch short, so that a query never waits long behind documents.
 */

export interface BatchLimits {
  /** Upper bound of count x longest, in tokens. One text alone may exceed it. */
  readonly paddedTokens: number;
  /** How many of the oldest waiting texts are looked at. */
  readonly lookAhead: number;
}

/**
 * Positions (ascending) of the texts of the next batch, given the token counts of all waiting texts, oldest
 * first. The oldest is always among them, so nothing starves; of the batches that hold it and keep within the
 * budget, the one with the most real tokens is taken.
 */
export function chooseBatch(waiting: readonly number[], limits: BatchLimits): number[] {
  const window = waiting.slice(0, Math.max(1, limits.lookAhead));
  if (window.length === 0) return [];
  const byLength = window.map((_, position) => position);
  byLength.sort((a, b) => tokensAt(window, a) - tokensAt(window, b) || a - b);
  const oldest = byLength.indexOf(0);

  // A batch is a stretch [first, last] of `byLength` around the oldest. The further it reaches to longer texts,
  // the later it must begin, so one pass with two pointers sees every candidate.
  let first = 0;
  let best = { first: oldest, last: oldest, tokens: tokensAt(window, 0) };
  let tokens = sum(window, byLength.slice(0, oldest));
  for (let last = oldest; last < byLength.length; last++) {
    const longest = tokensAt(window, byLength[last] as number);
    tokens += longest;
    while (first < oldest && longest * (last - first + 1) > limits.paddedTokens) {
      tokens -= tokensAt(window, byLength[first] as number);
      first++;
    }
    if (longest * (last - first + 1) > limits.paddedTokens) break;
    if (tokens > best.tokens) best = { first, last, tokens };
  }
  return byLength.slice(best.first, best.last + 1).sort((a, b) => a - b);
}

function tokensAt(counts: readonly number[], position: number): number {
  return counts[position] ?? 0;
}

function sum(counts: readonly number[], positions: readonly number[]): number {
  return positions.reduce((total, position) => total + tokensAt(counts, position), 0);
}

/** CJK ideographs, kana and Hangul: about .7 tokens each, other characters about .28. */
const WIDE = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]/g;

/**
 * Rough number of tokens of a text, good enough to group by length without tokenising on the main thread; the
 * worker pads to the real longest. Looks at the first 1,000 characters only.
 */
export function estimateTokens(text: string, maxTokens: number): number {
  const head = text.length > 1000 ? text.slice(0, 1000) : text;
  const wide = head.match(WIDE)?.length ?? 0;
  const tokens = 5 + Math.ceil(0.7 * wide + 0.28 * (head.length - wide));
  return Math.min(maxTokens, text.length > 1000 ? maxTokens : tokens);
}
