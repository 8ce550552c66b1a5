/** Memory and CPU time of other processes, from /proc (Linux only). */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const SAMPLE_MS = 50;

export interface MemoryWatch {
  /** Ends the watch: resident megabytes before, at most, and at every sample. */
  stop(): { readonly idleMb: number; readonly peakMb: number; readonly samples: readonly number[] };
}

/** Samples the resident memory of a process; resolves when the first sample, its idle memory, is there. */
export async function watchMemory(pid: number): Promise<MemoryWatch> {
  const idleMb = await residentMb(pid);
  const samples: number[] = [];
  const timer = setInterval(() => {
    // A process that has just ended has no memory to speak of.
    residentMb(pid).then(
      (mb) => {
        if (!Number.isNaN(mb)) samples.push(mb);
      },
      () => undefined,
    );
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return { idleMb, peakMb: samples.reduce((peak, mb) => Math.max(peak, mb), idleMb), samples };
    },
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1024;
}

let ticks: number | undefined;

/** Seconds of CPU that a process has used so far, with all its threads; NaN where it is not known or there is no /proc. */
export async function cpuSeconds(pid: number | undefined): Promise<number> {
  if (pid === undefined) return Number.NaN;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in brackets, may hold spaces; user and system time are the 12th and 13th word after it.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return (Number(words[11]) + Number(words[12])) / ticks;
}
