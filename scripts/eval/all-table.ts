/** The table of all collections, for people. Pure. */
import { textTable } from '../../src/cli/table.js';
import { signed } from '../../src/evaluate/figures.js';
import { mean } from '../../src/evaluate/statistics.js';
import { foldersAbove, shareOfAuto, WANTED_SHARE } from './all-bars.js';
import type { CollectionRow, Difference, OrderFigures } from './ranking-row.js';

const HEAD = [
  'collection',
  'measure',
  'engine',
  'cosine',
  'head',
  'tuned blend, held out',
  'blend auto',
  'auto keeps',
  'head - cosine',
];

/** Rows with each order's value and, below it, its difference to the engine with its 95 % interval. */
export function tableOfAll(rows: readonly CollectionRow[]): string {
  return textTable(
    HEAD,
    rows.map((row) => [
      `${row.title}\n${row.model}`,
      `${row.metric}\n${countOf(row)}`,
      row.engine === null ? '' : row.engine.toFixed(4),
      orderCell(row.cosine),
      orderCell(row.head),
      row.blends === null ? '' : `${orderCell(row.blends.tuned)}`,
      row.blends === null ? '' : orderCell(row.blends.auto),
      shareCell(row),
      differenceCell(row.headOverCosine),
    ]),
    { rightAligned: [2] },
  );
}

/** Sentences below the table. */
export function summaryOfAll(rows: readonly CollectionRow[]): string {
  const above = foldersAbove(rows);
  const shares = rows.map(shareOfAuto).filter((share) => share !== null);
  return [
    `Collections on which the head is above the engine, its interval clear of zero: ${above.join(', ') || 'none'}.`,
    ...(shares.length === 0
      ? []
      : [
          `Blend auto keeps ${percent(mean(shares))} of the best blend's gain on average (wanted ${percent(WANTED_SHARE)}), ` +
            `${percent(Math.min(...shares))} at the least.`,
        ]),
  ].join('\n');
}

function countOf({ count, judgedShare }: CollectionRow): string {
  return judgedShare === null ? `${count} pairs` : `${count} queries, judged@10 ${judgedShare.toFixed(2)}`;
}

function orderCell({ value, overEngine }: OrderFigures): string {
  return overEngine === null ? value.toFixed(4) : `${value.toFixed(4)}\n${differenceText(overEngine)}`;
}

function differenceCell(difference: Difference): string {
  const [middle, interval] = differenceText(difference, 4).split(' [');
  return `${String(middle)}\n[${String(interval)}`;
}

function differenceText({ mean: middle, interval: { low, high } }: Difference, digits = 3): string {
  return `${signed(middle, digits)} [${signed(low, digits)}, ${signed(high, digits)}]`;
}

function shareCell(row: CollectionRow): string {
  const share = shareOfAuto(row);
  return share === null
    ? ''
    : `${percent(share)}\nof ${signed(row.blends?.bestGain ?? 0, 3)} (${row.blends?.bestWeight})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
