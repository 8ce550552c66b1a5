/** One measurement by wrk, the numbers in its report, and what it cost the server's process. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Requests a second, the server's CPU time for one in microseconds (Linux only), and latencies in milliseconds. */
export interface Measured {
  readonly rate: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
}

const MS_OF: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** A clock tick of `/proc`: 10 ms on every Linux that Node runs on. */
const TICK_US = 10_000;

/** Drives `url` over `connections` for `seconds`; throws where any answer was an error. */
export async function wrk(url: string, pid: number, connections: number, seconds: number): Promise<Measured> {
  const before = cpuTicks(pid);
  const child = spawn(
    'wrk',
    ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '--latency', url],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (seconds + 30) * 1000,
    },
  );
  let report = '';
  child.stdout.on('data', (chunk: Buffer) => (report += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]);
  if (code !== 0 || Number.isNaN(rate) || /Socket errors|Non-2xx/.test(report))
    throw new Error(`wrk failed at ${url}: ${report}`);
  const count = Number(/(\d+) requests in/.exec(report)?.[1]);
  return {
    rate,
    cpu: ((cpuTicks(pid) - before) * TICK_US) / count,
    p50: latency(report, 50),
    p99: latency(report, 99),
  };
}

/** User and system time of a process with all its threads, in ticks (proc_pid_stat(5), fields 14 and 15). */
function cpuTicks(pid: number): number {
  try {
    const [user, system] =
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
    return Number(user) + Number(system);
  } catch {
    return Number.NaN;
  }
}

function latency(report: string, percent: number): number {
  const [, value, unit = ''] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)([a-z]+)`, 'm').exec(report) ?? [];
  return Number(value) * (MS_OF[unit] ?? Number.NaN);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
