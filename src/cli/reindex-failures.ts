/** Documents that a reindex could not write: the first on standard error, all of them in a file where one is named. */
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { TwinrankError } from '../errors.js';
import { readLines } from '../ingest/load/lines.js';
import { readReindexFailure, reindexFailureLine, type ReindexFailure } from '../ingest/reindex/failures.js';
import type { DocumentName } from '../ingest/reindex/stored-document.js';
import type { CommandIo } from './command.js';

/** Told one by one in a pass. */
const TOLD = 10;

export interface FailureFile {
  readonly record: (failure: ReindexFailure) => void;
  /** A pass begins: what failed before is tried again, so the file begins anew unless `keep`. */
  begin(keep: boolean): void;
  close(): void;
}

/** Throws `bad_config` where the file cannot be written, before anything is done. */
export function createFailureFile(path: string | undefined, io: CommandIo): FailureFile {
  let file = path === undefined ? null : open(path, 'a');
  let told = 0;
  const close = (): void => {
    if (file !== null) closeSync(file);
    file = null;
  };
  return {
    record: (failure) => {
      const { index, id, reason } = failure;
      if (++told <= TOLD) io.stderr.write(`${index}/${id}: ${reason}\n`);
      if (told === TOLD + 1) {
        const rest = path === undefined ? '--failures FILE keeps all of them' : `all of them are in ${path}`;
        io.stderr.write(`More documents fail; ${rest}.\n`);
      }
      // Failures are rare, and each must be in the file whatever becomes of this process.
      if (file !== null) writeSync(file, reindexFailureLine(failure));
    },
    begin: (keep) => {
      told = 0;
      if (keep || path === undefined) return;
      close();
      file = open(path, 'w');
    },
    close,
  };
}

function open(path: string, mode: 'a' | 'w'): number {
  try {
    return openSync(path, mode);
  } catch (error) {
    throw new TwinrankError('bad_config', `--failures: ${path} cannot be written (${String(error)}).`, {
      cause: error,
    });
  }
}

/** Documents that a failures file names. Throws `bad_config` where it cannot be read, `bad_input_file`. */
export async function* namesOf(path: string): AsyncGenerator<DocumentName> {
  try {
    for await (const { number, bytes } of readLines(createReadStream(path), Infinity)) {
      const name = readReindexFailure(bytes.toString('utf8'), number);
      if (name !== undefined) yield name;
    }
  } catch (error) {
    if (error instanceof TwinrankError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TwinrankError('bad_config', `--only: ${path} cannot be read (${reason}).`, { cause: error });
  }
}
