/** LCQMC: Chinese pairs of questions, same or not. There is no engine in it: the head against cosine alone. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { poolSize, startEncoder } from '../../src/cli/model-options.js';
import { encodeTexts, textNumbers } from '../../src/evaluate/head/encode-texts.js';
import { pairFolds } from '../../src/evaluate/head/folds.js';
import { areaUnderCurve, hitsOf } from '../../src/evaluate/head/pair-measures.js';
import { parsePairs } from '../../src/evaluate/head/pairs-file.js';
import { readInputText } from '../../src/evaluate/read-input.js';
import { mean } from '../../src/evaluate/statistics.js';
import type { Bundle } from '../../src/model/bundle.js';
import { createHead } from '../../src/model/head.js';
import { cosine } from '../../src/model/cosine.js';
import { areaDifference, heldOutHits } from './pair-scores.js';
import { differenceOf, type CollectionRow } from './ranking-row.js';

export const LCQMC_FOLDER = 'lcqmc';

export function lcqmcFile(data: string): string {
  return join(data, LCQMC_FOLDER, 'dev.txt');
}

export function lcqmcIsThere(data: string): boolean {
  return existsSync(lcqmcFile(data));
}

export interface PairFigures {
  /** Accuracy with held-out thresholds, and area under the curve. */
  readonly rows: readonly CollectionRow[];
  /** Accuracy where a probability of at least a half counts as similar. */
  readonly accuracyAtHalf: number;
}

/** Accuracy with the threshold that five folds without a common sentence choose, for both alike. */
export async function measureLcqmc(data: string, bundle: Bundle, signal: AbortSignal): Promise<PairFigures> {
  const file = lcqmcFile(data);
  const pairs = parsePairs(await readInputText(file), file);
  const numbers = textNumbers(bundle.manifest);
  const left = pairs.map(({ textA }) => numbers.numberOf(textA, 'query'));
  const right = pairs.map(({ textB }) => numbers.numberOf(textB, 'document'));
  const labels = pairs.map(({ label }) => label);
  const values = { workers: undefined, threads: undefined };
  const encoder = await startEncoder(bundle, values, poolSize('document'), signal);
  const { table } = await encodeTexts(numbers, encoder, new Map(), signal, () => undefined).finally(() =>
    encoder.close(signal),
  );
  const vectorAt = (place: number): Float32Array =>
    table.values.subarray(place * table.dimensions, (place + 1) * table.dimensions);
  const head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
  const both = left.map((u, i) => [vectorAt(u), vectorAt(right[i] as number)] as const);
  return pairFigures(
    both.map(([u, v]) => cosine(u, v)),
    both.map(([u, v]) => head.scorer(u).logOdds(v)),
    { left, right, labels },
    bundle.manifest.name,
  );
}

function pairFigures(
  cosines: readonly number[],
  logOdds: readonly number[],
  { left, right, labels }: { left: readonly number[]; right: readonly number[]; labels: readonly number[] },
  model: string,
): PairFigures {
  const folds = pairFolds(left, right, 5, 1);
  const [cosineHits, headHits] = [cosines, logOdds].map((scores) => heldOutHits(scores, labels, folds));
  const row = (metric: string, ofCosine: number, ofHead: number): Omit<CollectionRow, 'headOverCosine'> => ({
    title: 'LCQMC, dev: Chinese pairs of questions',
    folder: LCQMC_FOLDER,
    model,
    count: labels.length,
    metric,
    judgedShare: null,
    engine: null,
    cosine: { value: ofCosine, overEngine: null },
    head: { value: ofHead, overEngine: null },
    blends: null,
  });
  return {
    rows: [
      {
        ...row('accuracy', mean(cosineHits ?? []), mean(headHits ?? [])),
        headOverCosine: differenceOf(headHits ?? [], cosineHits ?? []),
      },
      {
        ...row('AUC', areaUnderCurve(cosines, labels), areaUnderCurve(logOdds, labels)),
        headOverCosine: areaDifference(logOdds, cosines, labels),
      },
    ],
    accuracyAtHalf: mean(hitsOf(logOdds, labels)),
  };
}
