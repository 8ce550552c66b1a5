/** The orders of several collections in one table. */
import { textTable } from '../../src/cli/table.js';
import type { OrderReport } from '../../src/evaluate/orders-report.js';
import type { EvaluationReport } from '../../src/evaluate/report.js';

export interface NamedReport {
  readonly title: string;
  readonly report: EvaluationReport;
}

/** One row for each collection: the engine, and each order's difference to it with its 95 % interval. */
export function ordersOfAll(reports: readonly NamedReport[]): string {
  return textTable(
    ['nDCG@10', 'queries', 'engine', 'probability alone', 'blend, held out', 'weight', 'blend auto'],
    reports.map(({ title, report: { queries, orders } }) =>
      orders === null
        ? [title, String(queries), '', 'nothing was scored', '', '', '']
        : [
            title,
            String(queries),
            orders.engine.toFixed(4),
            cell(orders.probability),
            cell(orders.blend_held_out),
            String(orders.weight),
            cell(orders.auto),
          ],
    ),
    { rightAligned: [1, 2, 3, 4, 5, 6] },
  );
}

function cell({ comparison: { difference, interval } }: OrderReport): string {
  return `${signed(difference)} [${signed(interval.low)}, ${signed(interval.high)}]`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}
