/** A progress bar with rate and ETA on a terminal, or lines for machines. The only file that knows cli-progress. */
import { SingleBar } from 'cli-progress';
import type { Output } from './command.js';

/** How far something is: `done` of `total` in any unit, `count` of the things that `unit` names. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  readonly count: number;
  readonly failed: number;
}

export interface Progress {
  stop(): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** What is counted, such as "documents". */
  readonly unit: string;
  readonly everyMs: number;
  /** Members of each line, besides those of the state. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly now?: () => number;
}

export interface Pace {
  readonly rate: number;
  readonly etaSeconds: number | null;
}

/**
 * Things per second since the start, and the seconds left at that pace; null where nothing can be said yet.
 * @param start what had been done before, by others or an earlier run
 */
export function paceOf(state: ProgressState, seconds: number, start: ProgressState = NOTHING): Pace {
  const rate = seconds > 0 ? (state.count - start.count) / seconds : 0;
  const gained = shareOf(state) - shareOf(start);
  return { rate, etaSeconds: gained > 0 && rate > 0 ? (seconds * (1 - shareOf(state))) / gained : null };
}

const NOTHING: ProgressState = { done: 0, total: 0, count: 0, failed: 0 };

function shareOf({ done, total }: ProgressState): number {
  return total > 0 ? Math.min(1, done / total) : 0;
}

/** Draws a bar on a terminal until stopped; `read` is asked for the state at each turn. */
export function createProgressBar(
  output: Output,
  read: () => ProgressState,
  options: ProgressOptions,
): Progress {
  if (output.isTTY !== true) return { stop: () => undefined };
  const bar = new SingleBar({
    stream: output,
    hideCursor: true,
    clearOnComplete: true,
    format: `${options.label} [{bar}] {percentage}% | {count} ${options.unit} | {rate}/s | ETA {left}{trouble}`,
  });
  bar.start(1, 0, textsOf(read(), paceOf(NOTHING, 0)));
  const stop = everyTurn(read, options, (state, pace) => {
    bar.setTotal(Math.max(1, state.total));
    bar.update(state.done, textsOf(state, pace));
  });
  return {
    stop: () => {
      stop();
      bar.stop();
    },
  };
}

/** Draws a bar while the work goes on; the work says after each thing how many of how many are done. */
export async function withProgressBar<T>(
  output: Output,
  { label, unit }: Pick<ProgressOptions, 'label' | 'unit'>,
  work: (tell: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let state: ProgressState = NOTHING;
  const bar = createProgressBar(output, () => state, { label, unit, everyMs: 200 });
  try {
    return await work((done, total) => (state = { done, total, count: done, failed: 0 }));
  } finally {
    bar.stop();
  }
}

/** Writes one JSON line per turn until stopped. */
export function createProgressLines(
  output: Output,
  read: () => ProgressState,
  options: ProgressOptions,
): Progress {
  const stop = everyTurn(read, options, (state, { rate, etaSeconds }) => {
    const line = {
      event: 'progress',
      ...options.extra,
      [options.unit]: state.count,
      failed: state.failed,
      share: round(shareOf(state), 4),
      rate: round(rate, 1),
      eta_seconds: etaSeconds === null ? null : Math.round(etaSeconds),
    };
    output.write(`${JSON.stringify(line)}\n`);
  });
  return { stop };
}

function everyTurn(
  read: () => ProgressState,
  { everyMs, now = performance.now.bind(performance) }: ProgressOptions,
  turn: (state: ProgressState, pace: Pace) => void,
): () => void {
  const started = now();
  const start = read();
  const timer = setInterval(() => {
    const state = read();
    turn(state, paceOf(state, (now() - started) / 1000, start));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function textsOf(state: ProgressState, { rate, etaSeconds }: Pace): Record<string, string> {
  return {
    count: String(state.count),
    rate: rate.toFixed(0),
    left: etaSeconds === null ? '-' : clock(etaSeconds),
    trouble: state.failed === 0 ? '' : ` | ${state.failed} failed`,
  };
}

/** Seconds as `45s` or `3m05s`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
