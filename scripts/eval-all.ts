/**
 * `npm run eval:all`: every collection at hand in one table. Each is loaded through the sidecar into a real engine
 * and asked through the proxy; beside the engine's order stand that of the cosine of the stored vectors, of the
 * head, of the blend tuned by cross-validation and of the automatic blend. What must hold over all of them decides
 * the exit code. `--model DIR` adds the rows of another bundle, English collections only, without bars.
 */
import { parseArgs } from 'node:util';
import { bundleOf } from '../src/cli/model-options.js';
import { shortfallsOfAll } from './eval/all-bars.js';
import { summaryOfAll, tableOfAll } from './eval/all-table.js';
import { COLLECTIONS } from './eval/collections.js';
import { dataFolder, isThere, missingWords } from './eval/data-folder.js';
import { LCQMC_FOLDER, lcqmcIsThere, measureLcqmc } from './eval/lcqmc.js';
import { measureCollection } from './eval/measure-collection.js';
import type { CollectionRow } from './eval/ranking-row.js';
import { createWorkbench, type Workbench } from './eval/workbench.js';
import { abortedBy, runMain, say, UsageError } from './program.js';

const USAGE = 'npm run eval:all -- [--data DIR] [--model DIR] [--only NAME,...] [--json]';
const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

interface Measured {
  readonly rows: readonly CollectionRow[];
  /** Sentences that belong below the table. */
  readonly notes: readonly string[];
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      model: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const data = dataFolder(values.data);
  const names = namesOf(values.only);
  const workbench = createWorkbench(stopping, note);
  try {
    const own = await measure(workbench, data, names, undefined);
    const others =
      values.model === undefined ? [] : (await measure(workbench, data, names, values.model)).rows;
    if (own.rows.length === 0) return 0;
    const short = shortfallsOfAll(own.rows);
    if (values.json === true) say(JSON.stringify({ rows: [...own.rows, ...others], below: short }));
    else {
      say(tableOfAll([...own.rows, ...others]));
      say([summaryOfAll(own.rows), ...own.notes].join('\n'));
    }
    for (const line of short) note(`Below the bar: ${line}.`);
    if (short.length === 0) note('All bars are cleared.');
    return short.length === 0 ? 0 : 1;
  } finally {
    await workbench.close();
  }
}

function namesOf(only: string | undefined): string[] {
  const all = [...Object.keys(COLLECTIONS), LCQMC_FOLDER];
  const wanted = only?.split(',') ?? all;
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is none of ${all.join(', ')}.`);
  return wanted;
}

async function measure(
  workbench: Workbench,
  data: string,
  names: readonly string[],
  model: string | undefined,
): Promise<Measured> {
  const bundle = await bundleOf({ model });
  const rows: CollectionRow[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const collection = COLLECTIONS[name];
    if (collection === undefined) continue;
    if (model !== undefined && collection.language !== 'en') continue;
    if (!isThere(collection, data)) {
      note(missingWords(collection.folder, data));
      continue;
    }
    rows.push(await measureCollection(workbench, collection, { data, model, bundle }, stopping));
    note(`${collection.title}: measured.`);
  }
  if (model === undefined && names.includes(LCQMC_FOLDER)) {
    if (lcqmcIsThere(data)) {
      const { rows: ofPairs, accuracyAtHalf } = await measureLcqmc(data, bundle, stopping);
      rows.push(...ofPairs);
      notes.push(
        `On LCQMC both are given the threshold that is best on other folds. At a probability of one half the head's accuracy is ${accuracyAtHalf.toFixed(4)}.`,
      );
    } else note(missingWords(LCQMC_FOLDER, data));
  }
  return { rows, notes };
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

await runMain(main, { usage: USAGE, stopping });
