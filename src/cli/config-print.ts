/** `twinrank config print COMMAND`: the values that COMMAND would run with, and where each comes from. */
import type { CatalogEntry } from './catalog.js';
import type { CommandIo } from './command.js';
import { effectiveOptions, strayVariables, type EffectiveOption } from './effective-options.js';
import type { Sources } from './option-sources.js';
import { textTable } from './table.js';

/** Options of the form of the output; they are no values of the command. */
const OWN = 'json';

/** Prints and resolves to the exit code: 2 where a value cannot be used. */
export function printConfig(
  { name, options }: CatalogEntry,
  entries: readonly CatalogEntry[],
  sources: Sources,
  io: CommandIo,
): number {
  const shown = effectiveOptions(options, sources).filter(({ flag }) => flag !== OWN);
  const problems = shown.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const warnings = strayVariables(sources.env, entries);
  if (sources.argv[OWN] === true)
    io.stdout.write(
      `${JSON.stringify({ command: name, options: shown.map(jsonRow), problems, warnings })}\n`,
    );
  else {
    const rows = shown.map((row) => [row.flag, row.values.join(', '), whence(row)]);
    io.stdout.write(`${textTable(['Option', 'Value', 'From'], rows)}\n`);
    for (const warning of warnings) io.stderr.write(`Warning: ${warning}\n`);
    for (const problem of problems) io.stderr.write(`twinrank: ${problem}\n`);
  }
  return problems.length === 0 ? 0 : 2;
}

function whence({ origin, where }: EffectiveOption): string {
  if (origin === 'unset') return 'not set';
  return where === '' ? origin : where;
}

function jsonRow({ flag, values, origin, where, problem }: EffectiveOption): Record<string, unknown> {
  const value = values.length > 1 ? values : (values[0] ?? null);
  return { option: flag, value, origin, where, ...(problem === undefined ? {} : { problem }) };
}
