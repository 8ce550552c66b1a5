/** Tables on the terminal. The only file that knows cli-table3. */
import Table from 'cli-table3';

/** A table as text, without a line end. Columns are aligned left, but for those named in `rightAligned` (from 0). */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly rightAligned?: readonly number[] } = {},
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (options.rightAligned?.includes(i) === true ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
