/** What options are in force and why, fit to be shown. Pure. */
import { asTwinrankError } from '../errors.js';
import type { CatalogEntry } from './catalog.js';
import { CONFIG_OPTION } from './config-file.js';
import { didYouMean } from './nearest-word.js';
import { settingOf, type Origin, type Sources } from './option-sources.js';
import { valueOf, type Option, type OptionTable } from './options.js';

export interface EffectiveOption {
  readonly flag: string;
  /** As it was given, secrets hidden; several where it was given several times, none where it is not set. */
  readonly values: readonly string[];
  readonly origin: Origin | 'unknown';
  /** Flag, variable, or file and key; empty for defaults. */
  readonly where: string;
  /** Why it cannot be used. */
  readonly problem?: string;
}

/** Every option of a table. Values that cannot be used have their `problem` beside them. */
export function effectiveOptions(table: OptionTable, sources: Sources): readonly EffectiveOption[] {
  return Object.values(table).map((option) => {
    const { flag } = option;
    try {
      const setting = settingOf(option, sources);
      const { origin, where } = setting;
      const shown = {
        flag,
        values: setting.texts.map((value) => withoutSecret(option, value)),
        origin,
        where,
      };
      const problem = problemOf(() => valueOf(option, setting));
      return problem === undefined ? shown : { ...shown, problem };
    } catch (error) {
      return { flag, values: [], origin: 'unknown', where: '', problem: asTwinrankError(error).message };
    }
  });
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return asTwinrankError(error).message;
  }
}

/** A value as it may be shown: a secret is not, nor is the password in an address. */
export function withoutSecret(option: Option<unknown>, value: string): string {
  if (option.secret === true) return '(hidden)';
  return value.replace(/\/\/([^\s:/@]*)(:?)\S*@/g, (_, user: string, colon: string) =>
    colon === '' ? '//***@' : `//${user}:***@`,
  );
}

/** Read by no option, but by the program itself. */
const OTHER_VARIABLES = ['TWINRANK_DEBUG'];

/** One line for each variable that looks like one of ours and that nothing reads. */
export function strayVariables(
  env: Readonly<Record<string, string | undefined>>,
  entries: readonly CatalogEntry[],
): readonly string[] {
  const known = new Set([
    ...entries.flatMap(({ options }) => Object.values(options).map((option) => option.env)),
    CONFIG_OPTION.env,
    ...OTHER_VARIABLES,
  ]);
  const names = [...known].filter((name) => name !== null);
  return Object.keys(env)
    .filter((name) => name.startsWith('TWINRANK_') && !name.startsWith('TWINRANK_TEST_') && !known.has(name))
    .sort()
    .map((name) => `${name} is set, but no option reads it.${didYouMean(name, names)}`);
}
