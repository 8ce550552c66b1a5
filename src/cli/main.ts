#!/usr/bin/env node
/** The `twinrank` program: reads its options, runs one command, turns errors into one line and an exit code. */
import yargs, { type Argv } from 'yargs';
import { asTwinrankError } from '../errors.js';
import { catalog, configurable, listCommands, type CatalogEntry } from './catalog.js';
import type { Command, CommandGroup, CommandIo } from './command.js';
import { CONFIG_OPTION, readConfigFile } from './config-file.js';
import { printConfig } from './config-print.js';
import { didYouMean } from './nearest-word.js';
import { NO_FILE, type Sources } from './option-sources.js';
import { flag, readOptions, type Option, type OptionTable } from './options.js';
import { programVersion } from './version.js';

/** Wrong flags and contradictions; other failures exit with 1. */
const EXIT_USAGE = 2;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal means now.
    if (interrupted.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    interrupted.abort();
  });
}

const io: CommandIo = { stdout: process.stdout, stderr: process.stderr, signal: interrupted.signal };
const entries = catalog();
const known = new Map(entries.map(({ name, options }) => [name, options]));

/** Runs what a command does, and ends the program as it ends. */
async function settle(run: () => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    process.stderr.write(`twinrank: ${error.message}\n`);
    if (error.code === 'internal' && process.env['TWINRANK_DEBUG'] !== undefined)
      process.stderr.write(`${String((thrown as Error).stack)}\n`);
    process.exitCode = error.code === 'bad_config' ? EXIT_USAGE : 1;
  }
}

/** Flags, environment and the file that they name. Throws `bad_config`. */
function sourcesOf(name: string, argv: Record<string, unknown>): Sources {
  const { config } = readOptions({ config: CONFIG_OPTION }, argv, process.env);
  const file = config === undefined ? NO_FILE : readConfigFile(config, name, known);
  return { argv, env: process.env, file };
}

function add<Table extends OptionTable>(program: Argv, command: Command<Table>, group = ''): Argv {
  const name = group + (command.usage.split(' ')[0] ?? '');
  const names = [...command.usage.matchAll(/[<[](\w+)[\]>]/g)].map((match) => match[1] ?? '');
  return program.command(
    command.usage,
    command.summary,
    (args) => withOptions(args, Object.values(command.options)),
    (argv) =>
      settle(() => {
        const positionals = names.flatMap((key) => (argv[key] === undefined ? [] : [String(argv[key])]));
        const { file } = sourcesOf(name, argv);
        return command.run(readOptions(command.options, argv, process.env, file), positionals, io);
      }),
  );
}

function withOptions(args: Argv, options: readonly Option<unknown>[]): Argv {
  for (const option of options) {
    const env = option.env === null ? '' : ` [${option.env}]`;
    args.option(option.flag, {
      describe: option.help + env,
      ...(option.boolean === true
        ? { type: 'boolean' as const }
        : { type: 'string' as const, requiresArg: true }),
      ...(option.default === undefined ? {} : { defaultDescription: option.default }),
    });
  }
  return args;
}

function addGroup(program: Argv, { name, summary, addCommands }: CommandGroup): Argv {
  return program.command(name, summary, (args) => {
    addCommands((command) => add(args, command, `${name} `));
    return args.demandCommand(1, `Say what to do; twinrank ${name} --help lists it.`);
  });
}

const PRINT_JSON: Option<boolean> = {
  flag: 'json',
  env: null,
  help: 'Print JSON.',
  default: 'false',
  boolean: true,
  parse: flag,
};

/** `config print COMMAND` takes the options of COMMAND. */
function addConfigPrint(program: Argv): Argv {
  const commands = (args: Argv, below: string): Argv => {
    const inner = configurable(entries).filter(({ name }) => name.startsWith(below));
    const words = new Set(inner.map(({ name }) => name.slice(below.length).split(' ')[0] ?? ''));
    for (const word of words) {
      const entry = inner.find(({ name }) => name === below + word);
      if (entry === undefined)
        args.command(word, `As twinrank ${word}.`, (deeper) => commands(deeper, `${below}${word} `));
      else addPrint(args, word, entry);
    }
    return args.demandCommand(1, 'Say for which command, as in twinrank config print rerank.');
  };
  return program.command('config', 'Show the options in force, and where each comes from.', (args) =>
    args
      .command('print', 'Show the values that a command would run with.', (inner) => commands(inner, ''))
      .demandCommand(1, 'Say twinrank config print COMMAND.'),
  );
}

function addPrint(args: Argv, word: string, entry: CatalogEntry): void {
  args.command(
    word,
    `For twinrank ${entry.name}.`,
    (inner) => withOptions(inner, [...Object.values(entry.options), PRINT_JSON]),
    (argv) => settle(() => printConfig(entry, entries, sourcesOf(entry.name, argv), io)),
  );
}

/** yargs' own words for a wrong flag, with the flag that was probably meant. */
function withSuggestion(message: string): string {
  const stray = /^Unknown arguments?: ([\w-]+)/.exec(message)?.[1];
  if (stray === undefined) return message;
  const words = process.argv.slice(2);
  const own = known.get(words.slice(0, 2).join(' ')) ?? known.get(words[0] ?? '');
  const tables = own === undefined ? [...known.values()] : [own];
  const flags = tables.flatMap((options) => Object.values(options).map((option) => option.flag));
  const isFlag = words.some((word) => word.startsWith(`--${stray}`));
  return `${message}.${isFlag ? didYouMean(stray, flags, '--') : didYouMean(stray, known.keys())}`;
}

const program = yargs(process.argv.slice(2))
  .scriptName('twinrank')
  .usage('$0 <command>: semantic reranking for OpenSearch and Elasticsearch')
  .version(programVersion())
  .parserConfiguration({ 'camel-case-expansion': false, 'boolean-negation': false })
  .option(CONFIG_OPTION.flag, {
    describe: `${CONFIG_OPTION.help} [${String(CONFIG_OPTION.env)}]`,
    type: 'string',
    requiresArg: true,
  })
  .strict()
  .demandCommand(1, 'Say which command to run; --help lists them.')
  .fail((message, error) => {
    const reason = message === null ? error?.message : withSuggestion(message);
    process.stderr.write(`twinrank: ${reason} (--help shows the options)\n`);
    process.exit(EXIT_USAGE);
  });
listCommands({
  command: (command) => add(program, command),
  group: (group) => addGroup(program, group),
});
addConfigPrint(program);
await program.parseAsync();
