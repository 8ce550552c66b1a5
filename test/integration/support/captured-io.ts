/** A command's outside world that keeps what is written, to run a command within the test's own process. */
import { Writable } from 'node:stream';
import type { Command, CommandIo } from '../../../src/cli/command.js';
import { readOptions } from '../../../src/cli/options.js';
import type { OptionTable } from '../../../src/cli/options.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with these flags; what it throws is thrown. */
export async function runCommand<Table extends OptionTable>(
  command: Command<Table>,
  flags: Readonly<Record<string, unknown>>,
  positionals: readonly string[] = [],
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const io: CommandIo = { stdout: into(out), stderr: into(err), signal };
  const code = await command.run(readOptions(command.options, flags, {}), positionals, io);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

function into(parts: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk.toString());
      done();
    },
  });
}
