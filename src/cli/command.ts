/** What every command of the `twinrank` program looks like to the program's entry. */
import type { OptionTable, OptionValues } from './options.js';

/** A terminal or a pipe. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** The outside world as a command sees it; `signal` fires on Ctrl-C and SIGTERM. */
export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signal: AbortSignal;
}

/** A command: its name and positionals in yargs' notation, its option table, and what it does. */
export interface Command<Table extends OptionTable> {
  readonly usage: string;
  readonly summary: string;
  /** What its first positional may be, where that is one of a few words. */
  readonly actions?: readonly string[];
  readonly options: Table;
  /** Resolves to the exit code. Expected failures are thrown as TwinrankError. */
  readonly run: (
    values: OptionValues<Table>,
    positionals: readonly string[],
    io: CommandIo,
  ) => Promise<number>;
}

/** Commands under a common first word: `twinrank model inspect`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** Hands each command of the group to `add`; its usage begins with the second word. */
  readonly addCommands: (add: <Table extends OptionTable>(command: Command<Table>) => void) => void;
}
