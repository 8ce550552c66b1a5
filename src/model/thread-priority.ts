/**
 * Lowers the scheduling priority of the calling thread alone, so that encoding documents in the background yields
 * to the event loop that serves callers and to an engine on the same machine. Linux keeps a nice value for each
 * thread, and threads started later by this one inherit it; elsewhere it would be the whole process's, so nothing
 * is done there.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** @param niceness 0 (as the process) to 19 (only what nobody else wants) */
export function lowerThreadPriority(niceness: number): void {
  if (niceness <= 0 || process.platform !== 'linux') return;
  try {
    // A synchronous call runs on the thread that makes it, so the link names that thread.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), niceness);
  } catch {
    // Without /proc, or where it is forbidden, encoding goes on at the usual priority.
  }
}
