/**
 * `npm run chaos [-- --seeds 20 --documents 20000 --scenario sidecar|reindex|all --first-seed N]`: writes while
 * everything breaks in turn, then holds what the index contains against what was acknowledged. Exit code 1 where
 * any seed fails.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { textTable } from '../src/cli/table.js';
import { runChaos, SCENARIO_NAMES, type ChaosResult, type ScenarioName } from './chaos/run-chaos.js';
import { cacheFolder } from '../src/cli/cache-folder.js';
import { startCluster } from './engine/cluster.js';
import { abortedBy, runMain, say, UsageError } from './program.js';

const USAGE = `Usage: npm run chaos [-- --seeds 20 --documents 20000 --scenario ${SCENARIO_NAMES.join('|')}|all --first-seed 1 --titles 1000 --list]
  --titles  how many different titles there are; fewer leave the encoder less to do
  --list    name every item that was not acknowledged, not only some`;
const SHOWN_PROBLEMS = 10;
const SHOWN_UNACKNOWLEDGED = 3;

const stopping = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '20' },
      documents: { type: 'string', default: '20000' },
      scenario: { type: 'string', default: 'all' },
      'first-seed': { type: 'string', default: '1' },
      titles: { type: 'string', default: '1000' },
      list: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'seeds' | 'documents' | 'first-seed' | 'titles'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} must be a whole number above 0.`);
    return value;
  };
  const scenarios = SCENARIO_NAMES.filter((name) => values.scenario === 'all' || values.scenario === name);
  if (scenarios.length === 0) throw new UsageError(`--scenario ${values.scenario} is not known.`);
  const plan = {
    seeds: whole('seeds'),
    documents: whole('documents'),
    firstSeed: whole('first-seed'),
    titles: whole('titles'),
  };

  await mkdir(cacheFolder(), { recursive: true });
  const logFile = join(cacheFolder(), `chaos-${process.pid}.log`);
  const log = openSync(logFile, 'w');
  const cluster = await startCluster({ signal: stopping, onProgress: say });
  try {
    say(`Three nodes are up. The log of our own processes is ${logFile}`);
    const results = await runChaos({
      ...plan,
      scenarios,
      cluster,
      log,
      signal: stopping,
      onProgress: (line) => say(`    ${line}`),
      onResult: (result) => show(result, values.list),
    });
    say(tableOf(results, scenarios));
    return results.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    await cluster.stop();
    closeSync(log);
  }
}

function show(result: ChaosResult, all: boolean): void {
  const { scenario, seed, problems, unacknowledged } = result;
  say(
    `seed ${seed} ${scenario}: ${problems.length === 0 ? 'passed' : 'FAILED'}, ${result.acknowledged} of ${result.operations} operations acknowledged, ${unacknowledged.length} named as not, ${result.faults.length} faults, ${result.seconds.toFixed(0)} s`,
  );
  list(unacknowledged, all ? Infinity : SHOWN_UNACKNOWLEDGED, 'not acknowledged: ');
  list(problems, SHOWN_PROBLEMS, 'WRONG: ');
  if (problems.length > 0) list(result.faults, Infinity, 'meanwhile: ');
}

function list(lines: readonly string[], most: number, before: string): void {
  for (const line of lines.slice(0, most)) say(`  ${before}${line}`);
  if (lines.length > most) say(`  ... and ${lines.length - most} more`);
}

function tableOf(results: readonly ChaosResult[], scenarios: readonly ScenarioName[]): string {
  const head = [
    'seed',
    'scenario',
    'operations',
    'acknowledged',
    'sent again',
    'named as not',
    'faults',
    'seconds',
    '',
  ];
  const rows = scenarios.flatMap((scenario) =>
    results
      .filter((result) => result.scenario === scenario)
      .map((result) => [
        String(result.seed),
        scenario,
        String(result.operations),
        String(result.acknowledged),
        String(result.sentAgain),
        String(result.unacknowledged.length),
        String(result.faults.length),
        result.seconds.toFixed(0),
        result.problems.length === 0 ? 'passed' : `FAILED (${result.problems.length})`,
      ]),
  );
  return textTable(head, rows, { rightAligned: [0, 2, 3, 4, 5, 6, 7] });
}

await runMain(main, { usage: USAGE, withStack: true });
