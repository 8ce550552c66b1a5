/** `twinrank completion bash|zsh|fish`: the script that completes commands and flags in a shell. */
import { TwinrankError } from '../../errors.js';
import type { CatalogEntry } from '../catalog.js';
import type { Command } from '../command.js';
import { completionScript, SHELLS } from '../completion-script.js';

/** @param entries every command, which the script is to know */
export function completionCommand(entries: () => readonly CatalogEntry[]): Command<Record<never, never>> {
  return {
    usage: 'completion <shell>',
    summary: 'Print the script that completes commands and flags in bash, zsh or fish.',
    actions: SHELLS,
    options: {},
    run: (_values, [given = ''], io) => {
      const shell = SHELLS.find((name) => name === given);
      if (shell === undefined)
        throw new TwinrankError(
          'bad_config',
          `There is no completion for "${given}": say bash, zsh or fish.`,
        );
      io.stdout.write(completionScript(shell, entries()));
      return Promise.resolve(0);
    },
  };
}
