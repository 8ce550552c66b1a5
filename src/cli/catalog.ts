/** Every command of the program, in the order of its help. */
import type { Command, CommandGroup } from './command.js';
import { completionCommand } from './commands/completion.js';
import { doctorCommand } from './commands/doctor.js';
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
import type { OptionTable } from './options.js';

/** Takes what {@link listCommands} hands out. */
export interface CommandVisitor {
  readonly command: <Table extends OptionTable>(command: Command<Table>) => void;
  readonly group: (group: CommandGroup) => void;
}

/** Hands out every command that works on an engine or a model. */
export function listCommands({ command, group }: CommandVisitor): void {
  command(ingestCommand);
  command(rerankCommand);
  command(serveCommand);
  command(mappingCommand);
  command(loadCommand);
  command(reindexCommand);
  command(jobsCommand);
  command(evalCommand);
  group(modelGroup);
  command(headCommand);
  command(doctorCommand(catalog));
  command(completionCommand(catalog));
}

/** A command without what it does: for help, completion, reference and configuration file. */
export interface CatalogEntry {
  /** As it is typed: `rerank`, `model bench`. Also its key in the configuration file. */
  readonly name: string;
  readonly summary: string;
  /** Names of what follows it, as in yargs' notation: `<action>`, `[id]`. */
  readonly positionals: readonly string[];
  /** What the first of these may be; empty where it may be anything. */
  readonly actions: readonly string[];
  readonly options: OptionTable;
}

/** All commands of {@link listCommands}, those of groups among them. */
export function catalog(): readonly CatalogEntry[] {
  const entries: CatalogEntry[] = [];
  const note = (
    first: string,
    { usage, summary, actions = [], options }: Omit<Command<OptionTable>, 'run'>,
  ): void => {
    const [own = '', ...positionals] = usage.split(' ');
    entries.push({ name: first + own, summary, positionals, actions, options });
  };
  listCommands({
    command: (command) => {
      note('', command);
    },
    group: ({ name, addCommands }) => {
      addCommands((command) => {
        note(`${name} `, command);
      });
    },
  });
  return entries;
}

/** Those that have options: for the reference and for `config print`. */
export function configurable(entries: readonly CatalogEntry[]): readonly CatalogEntry[] {
  return entries.filter(({ options }) => Object.keys(options).length > 0);
}
