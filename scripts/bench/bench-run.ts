/** What a benchmark is run with, and the few things that several of them do alike. */
import { parseArgs } from 'node:util';

export interface BenchRun {
  /** The engine; its process id where it runs on this machine for this benchmark alone. */
  readonly engine: { readonly url: string; readonly pid?: number };
  /** What the user wrote after the benchmark's name. */
  readonly args: readonly string[];
  readonly output: NodeJS.WritableStream;
}

/** A benchmark ends by itself. */
export const NEVER = new AbortController().signal;

/** `--name 12` for each default's name; throws where the user wrote another option or no positive number. */
export function numberOptions<Name extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
  const chosen: Record<Name, number> = { ...defaults };
  for (const name of names) {
    const text = values[name];
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0)
      throw new Error(`--${name} is "${String(text)}"; give a number above 0.`);
    chosen[name] = value;
  }
  return chosen;
}

/** Value in the middle, or the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/** `0.871 (0.852 to 0.893)`: the median and the extremes. */
export function spread(values: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
