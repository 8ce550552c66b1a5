/**
 * Options are a table. Each row names its flag, its environment variable, its default, its help and its
 * parser; {@link readOptions} turns flags, environment and configuration file into one frozen, typed object or a
 * single clear error. Flags win over the environment, the environment over the file, the file over defaults.
 */
import { TwinrankError } from '../errors.js';
import { NO_FILE, settingOf, type FileSection, type Setting } from './option-sources.js';

/** One row of an option table. `parse` gets the raw text and throws a plain Error that says what is expected. */
export interface Option<T> {
  /** Also the key in the configuration file. */
  readonly flag: string;
  /**
   * Environment variable, or null where an option makes sense on the command line only: what asks for one run, or
   * destroys. Such a one is not taken from the configuration file either.
   */
  readonly env: string | null;
  readonly help: string;
  /** Shown in help and parsed like a given value; without one the option is undefined unless `required`. */
  readonly default?: string;
  readonly required?: boolean;
  /** A switch: given without a value it means "true". */
  readonly boolean?: boolean;
  /** May be given several times; `parse` sees each value, the result is an array. */
  readonly many?: boolean;
  /** Shown to nobody: a token or password, not the name of a file that holds one. */
  readonly secret?: boolean;
  readonly parse: (text: string) => T;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

type ValueOf<O> = O extends { readonly parse: (text: string) => infer T }
  ? O extends { readonly many: true }
    ? readonly T[]
    : O extends { readonly default: string } | { readonly required: true }
      ? T
      : T | undefined
  : never;

/** The typed values of a table. */
export type OptionValues<Table extends OptionTable> = { readonly [K in keyof Table]: ValueOf<Table[K]> };

/**
 * Values from the parsed flags (`argv[flag]`), the environment and the configuration file; errors name the option,
 * where its value was and the remedy.
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  argv: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  file: FileSection = NO_FILE,
): OptionValues<Table> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table))
    values[key] = valueOf(option, settingOf(option, { argv, env, file }));
  return Object.freeze(values) as OptionValues<Table>;
}

/** The parsed value of a setting. Throws `bad_config`. */
export function valueOf(option: Option<unknown>, setting: Setting): unknown {
  const { texts, where } = setting;
  if (option.many === true) return Object.freeze(texts.map((value) => parseOne(option, value, where)));
  const [value] = texts;
  if (value !== undefined) return parseOne(option, value, where);
  if (option.required !== true) return undefined;
  const other =
    option.env === null ? '' : ` (or set ${option.env}, or "${option.flag}" in the configuration file)`;
  throw new TwinrankError(
    'bad_config',
    `--${option.flag} is missing: ${option.help} Give --${option.flag}${other}.`,
  );
}

function parseOne(option: Option<unknown>, value: string, where: string): unknown {
  try {
    return option.parse(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinrankError('bad_config', `${where}: ${reason}`, { cause: error });
  }
}

/** Parser of a non-empty text. */
export function text(value: string): string {
  if (value.trim() === '') throw new Error('expected a text, got nothing.');
  return value;
}

/** Parser of a switch. */
export function flag(value: string): boolean {
  if (value === 'true' || value === '1' || value === '') return true;
  if (value === 'false' || value === '0') return false;
  throw new Error(`expected true or false, got "${value}".`);
}

/** Parser of a whole number within bounds. */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const n = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(n) || n < min || n > max) {
      throw new Error(`expected a whole number from ${min} to ${max}, got "${value}".`);
    }
    return n;
  };
}

/** Parser of a share from 0 to 1. */
export function share(value: string): number {
  const n = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(n >= 0 && n <= 1)) throw new Error(`expected a number from 0 to 1, got "${value}".`);
  return n;
}

/** Parser of a blend's weight: a share, or `auto`. */
export function blend(value: string): number | 'auto' {
  if (value === 'auto') return value;
  try {
    return share(value);
  } catch {
    throw new Error(`expected a number from 0 to 1, or auto, got "${value}".`);
  }
}

/** Parser of one of a few words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new Error(`expected ${words.join(' or ')}, got "${value}".`);
    return found;
  };
}

/** Parser of an engine or proxy address; a path prefix and credentials in the URL are allowed. */
export function httpUrl(value: string): URL {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new Error('expected an address such as http://127.0.0.1:9200.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('expected an http: or https: address.');
  if (url.search !== '' || url.hash !== '') throw new Error('expected an address without "?" and "#".');
  return url;
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Parser of `HOST:PORT`, `[V6]:PORT` or `PORT` (loopback). Port 0 takes a free one. */
export function listenAddress(value: string): ListenAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(value);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || port > 65535)
    throw new Error(`expected HOST:PORT such as 127.0.0.1:9201, got "${value}".`);
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}
