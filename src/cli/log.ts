/** Structured logs on standard error; standard output belongs to what a command prints for its user. */
import { destination, pino, type Logger } from 'pino';
import type { TwinrankError } from '../errors.js';

export type Log = Logger;

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** A logger that names the service in every line. */
export function createLog(service: string, level: (typeof LOG_LEVELS)[number]): Log {
  return logTo(service, level, true);
}

/**
 * The same for lines that come by the thousand: they are gathered and written without making anybody wait. What is
 * left is written when the process ends.
 */
export function createBulkLog(service: string, level: (typeof LOG_LEVELS)[number]): Log {
  return logTo(service, level, false);
}

function logTo(service: string, level: (typeof LOG_LEVELS)[number], sync: boolean): Log {
  return pino(
    { level, base: { service }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ dest: 2, sync }),
  );
}

/** A reporter that writes one line for each kind of problem every ten seconds at most, with how many there were. */
export function sparingly(log: Log, message: string): (kind: string, error: TwinrankError) => void {
  const seen = new Map<string, { at: number; count: number }>();
  return (kind, error) => {
    const last = seen.get(kind);
    if (last !== undefined && Date.now() - last.at < 10_000) {
      last.count++;
      return;
    }
    seen.set(kind, { at: Date.now(), count: 0 });
    log.warn({ kind, code: error.code, reason: error.message, alsoSince: last?.count ?? 0 }, message);
  };
}
