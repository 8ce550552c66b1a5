/**
 * `npm run eval:heads`: what `twinrank head train` must reach. From labelled pairs (LCQMC dev): accuracy on folds
 * without a common sentence, and the same head on another collection (KUAKE-QQR dev) against cosine. From judged
 * queries (DBpedia-Entity train): the order of the judged documents of dev, and reranking the engine's first hundred
 * against cosine. The exit code says whether all bars are cleared; without the data it says so and ends well.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { textTable } from '../src/cli/table.js';
import { withInterval } from '../src/evaluate/figures.js';
import type { HeadReport } from '../src/evaluate/head/head-report.js';
import { loadBundle, type Bundle } from '../src/model/bundle.js';
import { COLLECTIONS, type Collection } from './eval/collections.js';
import { dataFolder, isThere, missingWords } from './eval/data-folder.js';
import { measureJudged } from './eval/judged-lists.js';
import { LCQMC_FOLDER, lcqmcFile, lcqmcIsThere } from './eval/lcqmc.js';
import { measureCollection } from './eval/measure-collection.js';
import type { Difference } from './eval/ranking-row.js';
import { createWorkbench } from './eval/workbench.js';
import { abortedBy, runMain, say } from './program.js';
import { mustSucceed } from './services.js';

const USAGE = 'npm run eval:heads -- [--data DIR] [--cache DIR] [--only pairs|queries]';
const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

/** Bars of the two trainings. */
const LEAST_ACCURACY = 0.85;
const LEAST_NDCG = 0.44;

/** One line of the table. */
interface Figure {
  readonly what: string;
  readonly cosine: number | null;
  readonly head: number;
  readonly over: Difference | null;
  readonly bar: string;
  readonly cleared: boolean;
}

interface Places {
  readonly data: string;
  /** Folder that keeps vectors from one run to the next. */
  readonly cache: string;
  readonly scratch: string;
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, cache: { type: 'string' }, only: { type: 'string' } },
  });
  const data = dataFolder(values.data);
  const scratch = await mkdtemp(join(tmpdir(), 'twinrank-heads-'));
  const places = { data, scratch, cache: values.cache ?? scratch };
  try {
    const figures = [
      ...(values.only === 'queries' ? [] : await fromPairs(places)),
      ...(values.only === 'pairs' ? [] : await fromQueries(places)),
    ];
    if (figures.length === 0) return 0;
    say(tableOf(figures));
    return figures.every(({ cleared }) => cleared) ? 0 : 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fromPairs({ data, cache, scratch }: Places): Promise<Figure[]> {
  const other = COLLECTIONS['kuake'] as Collection;
  if (!lcqmcIsThere(data) || !isThere(other, data)) {
    note(missingWords(`${LCQMC_FOLDER} or ${other.folder}`, data));
    return [];
  }
  const vectors = join(cache, 'pairs.bin');
  const { report, bundle } = await train(['--pairs', lcqmcFile(data), '--cache', vectors], scratch, 'pairs');
  const accuracy = report.measures.find(({ name }) => name === 'accuracy');
  const transfer = await measureJudged(other, data, bundle, vectors, stopping);
  return [
    {
      what: `LCQMC dev, ${report.folds} folds without a common sentence, accuracy (strength ${chosenOf(report)})`,
      cosine: accuracy?.cosine ?? null,
      head: accuracy?.head ?? 0,
      over: accuracy?.over_cosine ?? null,
      bar: `at least ${LEAST_ACCURACY}`,
      cleared: (accuracy?.head ?? 0) >= LEAST_ACCURACY,
    },
    {
      what: `the same head on KUAKE-QQR dev, ${transfer.queries} queries, judged-only nDCG@10`,
      cosine: transfer.cosine,
      head: transfer.head,
      over: transfer.headOverCosine,
      ...notBelow(transfer.headOverCosine),
    },
  ];
}

async function fromQueries({ data, cache, scratch }: Places): Promise<Figure[]> {
  const dev = COLLECTIONS['dbpedia'] as Collection;
  if (!isThere(dev, data)) {
    note(missingWords(dev.folder, data));
    return [];
  }
  const workbench = createWorkbench(stopping, note);
  try {
    const filled = await workbench.indexOf(dev, data);
    const vectors = join(cache, 'queries.bin');
    const { report, bundle } = await train(
      [
        ...['--queries', join(filled.folder, dev.queries)],
        ...['--qrels', join(filled.folder, 'qrels.train.tsv')],
        ...['--index', filled.index, '--to', await workbench.engine(), '--cache', vectors],
      ],
      scratch,
      'queries',
    );
    const judged = await measureJudged(dev, data, bundle, vectors, stopping);
    const measuring = { data, model: bundle.folder, bundle, filled };
    const figures: Figure[] = [
      {
        what: `DBpedia-Entity dev, ${judged.queries} queries, judged-only nDCG@10 (strength ${chosenOf(report)})`,
        cosine: judged.cosine,
        head: judged.head,
        over: judged.headOverCosine,
        bar: `at least ${LEAST_NDCG}`,
        cleared: judged.head >= LEAST_NDCG,
      },
    ];
    for (const metric of ['nDCG@10', 'judged-only nDCG@10'] as const) {
      const row = await measureCollection(workbench, { ...dev, metric }, measuring, stopping);
      figures.push({
        what: `reranking the engine's first hundred, ${metric} (engine ${row.engine?.toFixed(4) ?? '-'})`,
        cosine: row.cosine.value,
        head: row.head.value,
        over: row.headOverCosine,
        ...notBelow(row.headOverCosine),
      });
    }
    return figures;
  } finally {
    await workbench.close();
  }
}

async function train(
  args: readonly string[],
  scratch: string,
  name: string,
): Promise<{ readonly report: HeadReport; readonly bundle: Bundle }> {
  const out = join(scratch, `head-from-${name}`);
  const told = await mustSucceed(['head', 'train', ...args, '--out', out, '--json'], 'collect', stopping);
  const report = JSON.parse(told) as HeadReport;
  note(`Trained from ${name}: ${report.verdict}, ${report.seconds.toFixed(0)} s without encoding.`);
  return { report, bundle: await loadBundle(out) };
}

function chosenOf({ strengths }: HeadReport): string {
  return String(strengths.find(({ chosen }) => chosen)?.strength ?? '?');
}

function notBelow({ interval }: Difference): Pick<Figure, 'bar' | 'cleared'> {
  return { bar: 'not below cosine beyond its interval', cleared: interval.high >= 0 };
}

function tableOf(figures: readonly Figure[]): string {
  return textTable(
    ['measured', 'cosine', 'head', 'over cosine [95 % interval]', 'bar'],
    figures.map(({ what, cosine, head, over, bar, cleared }) => [
      what,
      cosine?.toFixed(4) ?? '-',
      head.toFixed(4),
      over === null ? '-' : withInterval(over.mean, over.interval),
      `${bar}: ${cleared ? 'cleared' : 'MISSED'}`,
    ]),
    { rightAligned: [1, 2, 3] },
  );
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

await runMain(main, { usage: USAGE, stopping });
