/** Figures as people read them, on the terminal and in the HTML report alike. */
import type { Comparison, Interval } from './statistics.js';

/** With its sign, also where it is above nought. */
export function signed(value: number, digits = 4): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;
}

/** A mean difference and its interval. */
export function withInterval(difference: number, { low, high }: Interval): string {
  return `${signed(difference)} [${signed(low)}, ${signed(high)}]`;
}

/** Heads of the columns that {@link comparisonCells} fills. */
export const COMPARISON_HEAD: readonly string[] = ['difference [95 % interval]', 'p', 'won / lost / tied'];

export function comparisonCells({ difference, interval, p, wins, losses, ties }: Comparison): string[] {
  return [
    withInterval(difference, interval),
    p < 0.001 ? '<.001' : p.toFixed(3),
    `${wins} / ${losses} / ${ties}`,
  ];
}
