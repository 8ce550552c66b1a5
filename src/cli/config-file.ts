/** The configuration file: options of all commands, in JSON or YAML. The only file that knows yaml. */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { TwinrankError } from '../errors.js';
import { didYouMean } from './nearest-word.js';
import type { FileSection, FileValue } from './option-sources.js';
import { text, type Option, type OptionTable } from './options.js';

/** Names the file; every command takes it. */
export const CONFIG_OPTION: Option<string> = {
  flag: 'config',
  env: 'TWINRANK_CONFIG',
  help: 'Configuration file, JSON or YAML: options by their names, and below the name of a command those for it alone.',
  parse: text,
};

/** Commands and their options, as far as a file may name them. */
export type KnownOptions = ReadonlyMap<string, OptionTable>;

/** What the file at `path` says for a command. Throws `bad_config`. */
export function readConfigFile(path: string, command: string, known: KnownOptions): FileSection {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new TwinrankError(
      'bad_config',
      `The configuration file ${path} cannot be read (${(error as Error).message}). Name another with --${CONFIG_OPTION.flag} or ${String(CONFIG_OPTION.env)}.`,
      { cause: error },
    );
  }
  return configSection(content, path, command, known);
}

/**
 * What a file's content says for a command: the options at the top that it has, over which those below its name go.
 * The whole file is checked, so that a slip is found whichever command runs first. Throws `bad_config`.
 */
export function configSection(
  content: string,
  path: string,
  command: string,
  known: KnownOptions,
): FileSection {
  const section = new Map<string, FileValue>();
  const common = new Map<string, FileValue>();
  const everyOption = new Map([...known.values()].flatMap((table) => [...byFlag(table)]));
  for (const [key, value] of topOf(content, path)) {
    const table = known.get(key);
    if (table === undefined) {
      const at = { path, key, whose: 'of any command, nor a command' };
      checkKey(at, everyOption, [...everyOption.keys(), ...known.keys()]);
      common.set(key, valueAt(at, value, everyOption.get(key)));
      continue;
    }
    if (!(value instanceof Map))
      throw new TwinrankError(
        'bad_config',
        `${path}: "${key}" is a command; write its options below it, as in "${key}: {option: value}".`,
      );
    const options = byFlag(table);
    for (const [name, inner] of value as Map<string, unknown>) {
      const at = { path: `${path}, ${key}`, key: name, whose: `of ${key}` };
      checkKey(at, options, options.keys());
      const found = valueAt(at, inner, options.get(name));
      if (key === command) section.set(name, found);
    }
  }
  const own = byFlag(known.get(command) ?? {});
  for (const [key, value] of common) if (own.has(key) && !section.has(key)) section.set(key, value);
  return section;
}

/** Scalars stay the texts that they are in the file, for the options' own parsers. */
function topOf(content: string, path: string): Map<string, unknown> {
  const document = parseDocument(content, { schema: 'failsafe' });
  let top: unknown;
  try {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    top = document.toJS({ mapAsMap: true });
  } catch (error) {
    const [what = ''] = (error as Error).message.split('\n');
    throw new TwinrankError('bad_config', `${path} is neither JSON nor YAML: ${what.replace(/:$/, '')}.`, {
      cause: error,
    });
  }
  if (top === null || top === '') return new Map();
  if (top instanceof Map) return top as Map<string, unknown>;
  throw new TwinrankError(
    'bad_config',
    `${path} must hold options by their names, as in "upstream: ADDRESS".`,
  );
}

interface Place {
  readonly path: string;
  readonly key: string;
  readonly whose: string;
}

function checkKey({ path, key, whose }: Place, options: OptionsByFlag, names: Iterable<string>): void {
  const option = options.get(key);
  if (option === undefined)
    throw new TwinrankError(
      'bad_config',
      `${path}: "${key}" is not an option ${whose}.${didYouMean(key, names)}`,
    );
  if (option.env === null)
    throw new TwinrankError(
      'bad_config',
      `${path}: "${key}" belongs on the command line alone; take it out and give --${key} there.`,
    );
}

function valueAt({ path, key }: Place, value: unknown, option: Option<unknown> | undefined): FileValue {
  const where = `${path}: ${key}`;
  const texts = Array.isArray(value) && option?.many === true ? (value as unknown[]) : [value];
  const isUsable = (one: unknown): one is string => typeof one === 'string' && one !== '';
  if (texts.every(isUsable)) return { texts, where };
  const wanted = option?.many === true ? 'a value or a list of values' : 'one value';
  throw new TwinrankError('bad_config', `${where}: expected ${wanted}. To leave it as it is, leave it out.`);
}

type OptionsByFlag = ReadonlyMap<string, Option<unknown>>;

function byFlag(table: OptionTable): OptionsByFlag {
  return new Map(Object.values(table).map((option) => [option.flag, option]));
}
