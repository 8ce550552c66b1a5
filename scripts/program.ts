/** What the programs behind `npm run` have in common: a word to the user, the wish to stop, and their end. */

/** The arguments cannot be meant. */
export class UsageError extends Error {}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Aborted when one of these signals comes; none of them ends the process any more. */
export function abortedBy(...signals: readonly NodeJS.Signals[]): AbortSignal {
  const stopping = new AbortController();
  for (const signal of signals) process.on(signal, () => stopping.abort());
  return stopping.signal;
}

export interface ProgramOptions {
  /** Told where the arguments cannot be meant; the exit code is then 2. */
  readonly usage?: string;
  /** Once it is aborted, a failure is the user's wish: the exit code is then 130. */
  readonly stopping?: AbortSignal;
  /** Tells where a failure came from, not only what it says. */
  readonly withStack?: boolean;
}

/** Runs a program with the words after its name. Its exit code is what `main` resolves to, and 1 where that fails. */
export async function runMain(
  main: (args: readonly string[]) => Promise<number>,
  { usage, stopping, withStack = false }: ProgramOptions = {},
): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (usage !== undefined && isMisuse(error)) {
      process.stderr.write(`${message}\n${usage}\n`);
      process.exitCode = 2;
      return;
    }
    const stack = withStack && error instanceof Error ? error.stack : undefined;
    process.stderr.write(`${stack ?? message}\n`);
    process.exitCode = stopping?.aborted === true ? 130 : 1;
  }
}

function isMisuse(error: unknown): boolean {
  // As parseArgs() says it.
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS') === true;
}
