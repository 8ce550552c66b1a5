/** What every process of ours tells of itself. */
import { performance } from 'node:perf_hooks';
import { programVersion } from '../version.js';
import type { Metrics } from './registry.js';

const EVERY_MS = 20;
const DELAY_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1] as const;

/** Adds them, and watches the event loop until stopped. */
export function addProcessMetrics(metrics: Metrics): { stop(): void } {
  metrics.gauges('twinrank_build_info', 'Version that runs; the value is always 1.', 'version', () => ({
    [programVersion()]: 1,
  }));
  const delays = metrics.histogram(
    'twinrank_event_loop_delay_seconds',
    `How late a timer of ${EVERY_MS} ms comes: as long does whatever arrives wait for its turn.`,
    DELAY_SECONDS,
  );
  let due = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    delays.observe({}, Math.max(0, now - due) / 1000);
    // Node sets an interval's next turn from when this one began.
    due = now + EVERY_MS;
  }, EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
