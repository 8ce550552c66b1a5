/** Where the value of an option comes from: flag over environment over configuration file over default. Pure. */
import { TwinrankError } from '../errors.js';
import type { Option } from './options.js';

export type Origin = 'flag' | 'environment' | 'file' | 'default' | 'unset';

/** A value of the configuration file, as it is written there. */
export interface FileValue {
  readonly texts: readonly string[];
  /** File and key, for messages. */
  readonly where: string;
}

/** What a configuration file says for one command, by the options' flags. */
export type FileSection = ReadonlyMap<string, FileValue>;

export const NO_FILE: FileSection = new Map();

/** All that may hold values. */
export interface Sources {
  /** Parsed flags, as they were given: a text, a switch's true or false, several of these. */
  readonly argv: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: FileSection;
}

/** An option's value before it is parsed. */
export interface Setting {
  /** None where the option is not set; several only where it may be given several times. */
  readonly texts: readonly string[];
  readonly origin: Origin;
  /** The flag, variable, or file and key that messages name; empty where nothing was set. */
  readonly where: string;
}

/** The source that decides. Throws `bad_config` where an option is given several times that takes one value. */
export function settingOf(option: Option<unknown>, { argv, env, file }: Sources): Setting {
  const given = argv[option.flag];
  if (given !== undefined) return single(option, [given].flat().map(String), 'flag', `--${option.flag}`);
  // An empty variable is one that is not set.
  const variable = option.env === null ? undefined : env[option.env] || undefined;
  if (variable !== undefined) {
    const texts = option.many === true ? variable.split(',') : [variable];
    return { texts, origin: 'environment', where: String(option.env) };
  }
  const written = file.get(option.flag);
  if (written !== undefined) return single(option, written.texts, 'file', written.where);
  if (option.default !== undefined) return { texts: [option.default], origin: 'default', where: '' };
  return { texts: [], origin: 'unset', where: '' };
}

function single(option: Option<unknown>, texts: readonly string[], origin: Origin, where: string): Setting {
  if (texts.length > 1 && option.many !== true)
    throw new TwinrankError('bad_config', `${where} is given ${texts.length} times; give it once.`);
  return { texts, origin, where };
}
