#!/usr/bin/env node
/** The `twinrank` program: reads flags and environment, runs one command, turns errors into one line and an exit code. */
import yargs, { type Argv } from 'yargs';
import { asTwinrankError } from '../errors.js';
import type { Command, CommandGroup } from './command.js';
import { evalCommand } from './commands/eval.js';
import { headCommand } from './commands/head.js';
import { ingestCommand } from './commands/ingest.js';
import { jobsCommand } from './commands/jobs.js';
import { loadCommand } from './commands/load.js';
import { mappingCommand } from './commands/mapping.js';
import { modelGroup } from './commands/model.js';
import { reindexCommand } from './commands/reindex.js';
import { rerankCommand } from './commands/rerank.js';
import { serveCommand } from './commands/serve.js';
import { readOptions, type OptionTable } from './options.js';
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

async function run<Table extends OptionTable>(
  command: Command<Table>,
  argv: Record<string, unknown>,
): Promise<void> {
  const names = [...command.usage.matchAll(/[<[](\w+)[\]>]/g)].map((match) => match[1] ?? '');
  const positionals = names.flatMap((name) => (argv[name] === undefined ? [] : [String(argv[name])]));
  try {
    const values = readOptions(command.options, argv, process.env);
    process.exitCode = await command.run(values, positionals, {
      stdout: process.stdout,
      stderr: process.stderr,
      signal: interrupted.signal,
    });
  } catch (thrown) {
    const error = asTwinrankError(thrown);
    process.stderr.write(`twinrank: ${error.message}\n`);
    if (error.code === 'internal' && process.env['TWINRANK_DEBUG'] !== undefined)
      process.stderr.write(`${String((thrown as Error).stack)}\n`);
    process.exitCode = error.code === 'bad_config' ? EXIT_USAGE : 1;
  }
}

function add<Table extends OptionTable>(program: Argv, command: Command<Table>): Argv {
  return program.command(
    command.usage,
    command.summary,
    (args) => {
      for (const option of Object.values(command.options)) {
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
    },
    (argv) => run(command, argv),
  );
}

function addGroup(program: Argv, { name, summary, addCommands }: CommandGroup): Argv {
  return program.command(name, summary, (args) => {
    addCommands((command) => add(args, command));
    return args.demandCommand(1, `Say what to do; twinrank ${name} --help lists it.`);
  });
}

const program = yargs(process.argv.slice(2))
  .scriptName('twinrank')
  .usage('$0 <command>: semantic reranking for OpenSearch and Elasticsearch')
  .version(programVersion())
  .parserConfiguration({ 'camel-case-expansion': false, 'boolean-negation': false })
  .strict()
  .demandCommand(1, 'Say which command to run; --help lists them.')
  .fail((message, error) => {
    process.stderr.write(`twinrank: ${message ?? error?.message} (--help shows the options)\n`);
    process.exit(EXIT_USAGE);
  });
add(program, ingestCommand);
add(program, rerankCommand);
add(program, serveCommand);
add(program, mappingCommand);
add(program, loadCommand);
add(program, reindexCommand);
add(program, jobsCommand);
add(program, evalCommand);
addGroup(program, modelGroup);
add(program, headCommand);
await program.parseAsync();
