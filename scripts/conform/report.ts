/** The result of a comparison as a table for people, with each difference below it. */
import Table from 'cli-table3';
import type { FamilyResult } from './run-family.js';

export interface PartResult {
  readonly title: string;
  readonly families: readonly FamilyResult[];
}

/** Number of cases that differ, over all parts. */
export function differencesIn(parts: readonly PartResult[]): number {
  return parts.flatMap((part) => part.families).reduce((sum, family) => sum + family.differences.length, 0);
}

export function partText(part: PartResult): string {
  const table = new Table({
    head: ['family', 'requests', 'compared', 'engine said', 'services said', 'differences', 'seconds'],
    colAligns: ['left', 'right', 'right', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [38, null, null, 22, 60, null, null],
  });
  for (const family of part.families)
    table.push([
      family.name,
      family.requests,
      family.compared,
      countsText(family.statuses),
      countsText(family.outcomes),
      family.differences.length,
      (family.ms / 1000).toFixed(1),
    ]);
  const sum = (of: (family: FamilyResult) => number): number =>
    part.families.reduce((total, family) => total + of(family), 0);
  table.push([
    'all',
    sum((f) => f.requests),
    sum((f) => f.compared),
    '',
    '',
    sum((f) => f.differences.length),
    (sum((f) => f.ms) / 1000).toFixed(1),
  ]);
  return `\n${part.title}\n${table.toString()}\n${unlikeText(part)}${part.families.map(differencesText).join('')}`;
}

function unlikeText(part: PartResult): string {
  const unlike = part.families.flatMap((family) => family.unlike);
  if (unlike.length === 0) return '';
  const lines = unlike.map((line) => `  ${line}\n`).join('');
  return `\nThis engine answers ${unlike.length} requests with another status than the table says (compared all the same):\n${lines}`;
}

function differencesText(family: FamilyResult): string {
  return family.differences
    .map(
      ({ side, title, differences }) =>
        `\n${side}: ${title}\n${differences
          .map(
            ({ where, direct, through }) =>
              `  ${where}\n    direct   ${JSON.stringify(direct)}\n    through  ${JSON.stringify(through)}\n`,
          )
          .join('')}`,
    )
    .join('');
}

function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
}
