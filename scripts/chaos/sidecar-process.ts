/** The sidecar as a process that comes back on the same port. */
import { startService, type RunningService } from '../services.js';

/** Longer than any request takes, so that whatever is cut off at shutdown has been forgotten. */
const GRACE_MS = 60_000;

export interface SidecarProcess {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Asks it to drain (SIGTERM). Resolves when it has ended. */
  terminate(): Promise<void>;
}

/** @param log descriptor of the open file that gets its log */
export function sidecarProcess(
  port: number,
  upstream: string,
  log: number,
  signal: AbortSignal,
): SidecarProcess {
  const address = `127.0.0.1:${port}`;
  let running: RunningService | undefined;
  return {
    url: `http://${address}`,
    async start() {
      const args = ['--upstream', upstream, '--listen', address, '--grace', String(GRACE_MS)];
      running = await startService('ingest', args, signal, log);
    },
    async kill() {
      await running?.kill();
    },
    async terminate() {
      await running?.stop(GRACE_MS + 5_000);
    },
  };
}
