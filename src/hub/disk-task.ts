/** Failures of the disk in words, with what to do. */
import { TwinrankError } from '../errors.js';

const NOT_WRITABLE = new Set(['EACCES', 'EEXIST', 'EISDIR', 'ENOTDIR', 'EPERM', 'EROFS']);

/** Runs what writes to `path`: a full disk is `no_space`, a folder that cannot be written `bad_config`. */
export async function diskTask<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const code = error instanceof TwinrankError ? undefined : (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new TwinrankError(
        'no_space',
        `The disk of ${path} is full. Free some space, or name another folder with --cache (TWINRANK_CACHE); the same command goes on where it stopped.`,
        { cause: error },
      );
    }
    if (code !== undefined && NOT_WRITABLE.has(code)) {
      throw new TwinrankError(
        'bad_config',
        `${path} cannot be written (${code}). Name a folder that can with --cache (TWINRANK_CACHE).`,
        { cause: error },
      );
    }
    throw error;
  }
}
