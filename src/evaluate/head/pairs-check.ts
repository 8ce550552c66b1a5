/** Refuses labelled pairs from which nothing can be learned, before anything costs time. Pure. */
import { TwinrankError } from '../../errors.js';
import type { LabelledPair } from './pairs-file.js';

/** Fewer than these of a label and a cross-validated gain cannot be told from noise. */
const FEWEST_OF_A_LABEL = 50;
/** With so many of each label a gain of two points of accuracy shows. */
const ENOUGH_OF_A_LABEL = 1_000;

export interface CheckedPairs {
  /** Without repetitions and without pairs that have both labels. */
  readonly pairs: readonly LabelledPair[];
  readonly warnings: readonly string[];
}

/** Throws `bad_input_file`, saying how many would be enough. */
export function checkPairs(all: readonly LabelledPair[], name: string): CheckedPairs {
  const first = new Map<string, LabelledPair>();
  const contradicted = new Map<string, LabelledPair>();
  let repeated = 0;
  for (const pair of all) {
    const key = JSON.stringify([pair.textA.trim(), pair.textB.trim()]);
    const known = first.get(key);
    if (known === undefined) first.set(key, pair);
    else if (known.label === pair.label) repeated++;
    else contradicted.set(key, pair);
  }
  const pairs = [...first].filter(([key]) => !contradicted.has(key)).map(([, pair]) => pair);
  const warnings: string[] = [];
  if (repeated > 0) warnings.push(`${name}: ${repeated} pairs stand there more than once and are used once.`);
  if (contradicted.size > 0) {
    const lines = [...contradicted.values()].slice(0, 3).map(({ line }) => line);
    warnings.push(
      `${name}: ${contradicted.size} pairs have both labels and are left out (see ${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}).`,
    );
  }
  requireBothLabels(pairs, name);
  return { pairs, warnings };
}

function requireBothLabels(pairs: readonly LabelledPair[], name: string): void {
  const positives = pairs.filter(({ label }) => label === 1).length;
  const counts = [pairs.length - positives, positives] as const;
  const refuse = (what: string) => new TwinrankError('bad_input_file', `${name}: ${what}`);
  const enough = `At least ${FEWEST_OF_A_LABEL} pairs of each label are needed; from ${ENOUGH_OF_A_LABEL} of each on, small gains show.`;
  if (pairs.length === 0) throw refuse(`holds no pairs. ${enough}`);
  for (const label of [0, 1] as const) {
    const other = label === 0 ? 1 : 0;
    const hint =
      label === 0 ? 'Add pairs that are not similar, best such as look alike.' : 'Add similar pairs.';
    if (counts[label] === 0) throw refuse(`every label is ${other}. ${hint} ${enough}`);
    if (counts[label] < FEWEST_OF_A_LABEL)
      throw refuse(`only ${counts[label]} of ${pairs.length} pairs have the label ${label}. ${enough}`);
  }
}
