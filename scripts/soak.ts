/**
 * `npm run soak [-- --minutes 10 --rate N --seed 1]`: mixed traffic at half of capacity through a real engine, sidecar
 * and proxy while workers crash, the encoder is slow and the engine restarts. Exit code 1 where a page was wrong, a
 * search failed that the engine did not fail, a write was lost, memory grew or the event loop was late.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { textTable } from '../src/cli/table.js';
import { percentile } from './bench/http-client.js';
import { cacheFolder } from '../src/cli/cache-folder.js';
import { abortedBy, runMain, say, UsageError } from './program.js';
import { runSoak, type SoakReport } from './soak/run-soak.js';
import { DELAY_BAR_SECONDS } from './soak/steadiness.js';
import { KINDS } from './soak/traffic.js';

const USAGE = `Usage: npm run soak [-- --minutes 10 --rate REQUESTS_A_SECOND --seed 1]
  --rate  instead of half of what is measured at the start`;
const SHOWN = 10;
const PUNCTUAL_BAR = 0.99;

const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  });
  const above0 = (name: string, text: string): number => {
    const value = Number(text);
    if (!(value > 0)) throw new UsageError(`--${name} must be a number above 0.`);
    return value;
  };
  const minutes = above0('minutes', values.minutes);
  const seed = above0('seed', values.seed);
  const rate = values.rate === undefined ? undefined : above0('rate', values.rate);

  await mkdir(cacheFolder(), { recursive: true });
  const logFile = join(cacheFolder(), `soak-${process.pid}.log`);
  const log = openSync(logFile, 'w');
  say(`The log of our own processes is ${logFile}`);
  try {
    const report = await runSoak({ minutes, seed, rate, log, signal: stopping, onProgress: say });
    return show(report);
  } finally {
    closeSync(log);
  }
}

/** Prints the tables and what went wrong; gives the exit code. */
function show({ tallies, faults, written, lost, services, rate, capacity }: SoakReport): number {
  const head = ['requests', 'sent', 'done', 'left to the engine', 'engine away', 'p50 ms', 'p99 ms', 'wrong'];
  const rows = KINDS.map((kind) => {
    const { sent, done, failOpen, engineAway, ms, problems } = tallies[kind];
    const reasons = [...failOpen].map(([reason, count]) => `${reason} ${count}`).join(', ');
    const times = [0.5, 0.99].map((share) => percentile(ms, share).toFixed(1));
    return [kind, String(sent), String(done), reasons, String(engineAway), ...times, String(problems.length)];
  });
  say(`\n${rate.toFixed(0)} requests/s, capacity ${capacity.toFixed(0)}; ${faults.length} faults:`);
  say(faults.map((name) => `  ${name}`).join('\n'));
  say(textTable(head, rows, { rightAligned: [1, 2, 4, 5, 6, 7] }));
  const bar = `within ${DELAY_BAR_SECONDS * 1000} ms`;
  say(
    textTable(
      ['process', 'MB early', 'MB late', 'memory', `event loop ${bar}`, 'workers replaced'],
      services.map(({ name, memory, punctual, restarts }) => [
        name,
        memory.early.toFixed(0),
        memory.late.toFixed(0),
        memory.isFlat ? 'flat' : 'GREW',
        `${(100 * punctual).toFixed(2)} %`,
        String(restarts),
      ]),
      { rightAligned: [1, 2, 4, 5] },
    ),
  );
  const wrong = KINDS.flatMap((kind) => tallies[kind].problems);
  for (const problem of [...wrong, ...lost].slice(0, SHOWN)) say(`WRONG: ${problem}`);
  const verdicts: readonly [string, boolean][] = [
    ['every page is right, and no request failed but by the engine', wrong.length === 0],
    [`${written} documents written, changed and deleted: none lost, none wrong`, lost.length === 0],
    ['memory is flat after the warm-up', services.every(({ memory }) => memory.isFlat)],
    [
      `event-loop delay p99 below ${DELAY_BAR_SECONDS * 1000} ms`,
      services.every(({ punctual }) => punctual >= PUNCTUAL_BAR),
    ],
  ];
  for (const [what, holds] of verdicts) say(`${holds ? 'holds ' : 'FAILED'}  ${what}`);
  return verdicts.every(([, holds]) => holds) ? 0 : 1;
}

await runMain(main, { usage: USAGE, stopping, withStack: true });
