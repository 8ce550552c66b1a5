/**
 * A blend of the model's opinion and the engine's. Engines' scores have no fixed scale, so within the window they
 * are brought to the mean and spread of the log-odds; the blend is then a weighted mean in log-odds, whose sigmoid
 * reads like a probability and equals it at weight 0. At weight 1 the order is the engine's.
 */

/** Weight of the engine, 0 to 1, or `auto`: {@link AUTO_BLEND}. */
export type Blend = number | 'auto';

/**
 * The weight where nobody has judged anything. One for all: what can be seen in a window (how far both orders agree,
 * how far the scores spread, how many hits there are) did not foretell the best weight better than a constant.
 * docs/evaluating.md has the figures.
 */
export const AUTO_BLEND = 0.35;

/** The number that a setting stands for. */
export function blendWeight(blend: Blend): number {
  return blend === 'auto' ? AUTO_BLEND : blend;
}

/**
 * @param logOdds of the window's hits; undefined where a hit has none, and then neither has the result
 * @param engineScores of the same hits; a hit without one counts as average
 * @param weight of the engine, 0 to 1
 */
export function blendedLogOdds(
  logOdds: readonly (number | undefined)[],
  engineScores: readonly (number | undefined)[],
  weight: number,
): readonly (number | undefined)[] {
  if (weight === 0) return logOdds;
  const ours = statistics(logOdds);
  const theirs = statistics(engineScores.filter((_, i) => logOdds[i] !== undefined));
  return logOdds.map((own, i) => {
    if (own === undefined) return undefined;
    const score = engineScores[i] ?? theirs.mean;
    const standard = theirs.spread === 0 ? 0 : (score - theirs.mean) / theirs.spread;
    return (1 - weight) * own + weight * (ours.mean + (ours.spread === 0 ? 1 : ours.spread) * standard);
  });
}

/**
 * Order of hits by score: scored positions by descending score, ties in the engine's order, then those
 * without a score in the engine's order.
 */
export function orderByScore(scores: readonly (number | undefined)[]): number[] {
  const scored: number[] = [];
  const unscored: number[] = [];
  scores.forEach((score, position) => (score === undefined ? unscored : scored).push(position));
  scored.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return [...scored, ...unscored];
}

/** Mean and population standard deviation of the numbers that are there. */
function statistics(values: readonly (number | undefined)[]): {
  readonly mean: number;
  readonly spread: number;
} {
  const numbers = values.filter((value) => value !== undefined);
  if (numbers.length === 0) return { mean: 0, spread: 0 };
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const spread = Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length);
  return { mean, spread };
}
