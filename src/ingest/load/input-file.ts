/** The file that is loaded: its kind by its name, its bytes as a stream, how much of it has been read. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TwinrankError } from '../../errors.js';

export type Format = 'jsonl' | 'csv';

/** Endings that are understood; the first that fits counts. */
const ENDINGS: readonly { readonly ending: string; readonly format: Format; readonly gzip: boolean }[] = [
  { ending: '.jsonl', format: 'jsonl', gzip: false },
  { ending: '.ndjson', format: 'jsonl', gzip: false },
  { ending: '.csv', format: 'csv', gzip: false },
  { ending: '.jsonl.gz', format: 'jsonl', gzip: true },
  { ending: '.ndjson.gz', format: 'jsonl', gzip: true },
  { ending: '.csv.gz', format: 'csv', gzip: true },
];

/** Format and compression by the file's name. Throws `bad_input_file` for other names. */
export function formatOf(file: string): { readonly format: Format; readonly gzip: boolean } {
  const name = file.toLowerCase();
  const found = ENDINGS.find(({ ending }) => name.endsWith(ending));
  if (found === undefined) {
    const known = ENDINGS.map(({ ending }) => ending).join(', ');
    throw new TwinrankError(
      'bad_input_file',
      `${file}: unknown kind of file; its name must end with one of ${known}.`,
    );
  }
  return found;
}

/** An open file. `stream` gives the decompressed bytes, `bytesRead` counts bytes of the file as it lies on disk. */
export interface InputFile {
  readonly format: Format;
  readonly size: number;
  readonly stream: Readable;
  bytesRead(): number;
}

/** Opens a file for loading. Throws `bad_input_file` where it is missing, is a folder or of an unknown kind. */
export async function openInputFile(file: string, signal: AbortSignal): Promise<InputFile> {
  const { format, gzip } = formatOf(file);
  const size = await sizeOf(file);
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 });
  // An error of the raw stream reaches the reader through the unpacking stream; the callback has nothing to add.
  const stream = gzip ? pipeline(raw, createGunzip(), () => undefined) : raw;
  addAbortSignal(signal, stream);
  return { format, size, stream, bytesRead: () => raw.bytesRead };
}

async function sizeOf(file: string): Promise<number> {
  let found;
  try {
    found = await stat(file);
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new TwinrankError('bad_input_file', `${file}: ${reason}.`, { cause: error });
  }
  if (!found.isFile()) throw new TwinrankError('bad_input_file', `${file}: is not a file.`);
  return found.size;
}
