/** Four clients write through the sidecar while sidecar, engine and the connection between them break in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/evaluate/random.js';
import { freePorts } from '../engine/free-ports.js';
import { writeAll } from './crowd.js';
import { titlePool } from './documents.js';
import { planFaults, type Fault, type Interval, type Site } from './faults.js';
import { seconds } from './ledger.js';
import { Pace } from './pace.js';
import {
  judgeStage,
  setStage,
  tallyOf,
  writerTo,
  type ScenarioOptions,
  type ScenarioReport,
} from './scenario.js';
import type { Lost } from './send.js';
import { sidecarProcess } from './sidecar-process.js';

const CLIENTS = 4;
/** A request that left this long before the sidecar was asked to end has been accepted by it. */
const SURELY_ACCEPTED_MS = 1_000;

export async function sidecarScenario(options: ScenarioOptions): Promise<ScenarioReport> {
  const { cluster, seed, documents: count, signal } = options;
  const random = createRandom(seed);
  const stage = await setStage('sidecar', options, random);
  const { link, nodeDown, problems } = stage;
  const [port = 0] = await freePorts(1);
  const sidecar = sidecarProcess(port, link.url, options.log, signal);
  const site: Site = { cluster, link, sidecar, random, nodeDown, draining: [] };
  const faults = planFaults(faultsFor(count), random);
  const pace = new Pace(count, faults.length);
  const titles = titlePool(options.titles, random);
  const writers = Array.from({ length: CLIENTS }, () => writerTo(sidecar.url, stage));
  try {
    await sidecar.start();
    const breaking = breakInTurn(faults, pace, site, stage.started, options);
    const share = Math.ceil(count / CLIENTS);
    const clients = writers.map((writer, i) =>
      writeAll(
        {
          name: `c${i + 1}`,
          first: i * share,
          count: Math.min(share, count - i * share),
          titles,
          random: createRandom(seed * CLIENTS + i + 1_000_003),
          bulkItems: bulkItemsFor(count),
        },
        writer,
        pace,
      ),
    );
    const [happened, written] = await Promise.all([breaking, Promise.all(clients)]);
    const documents = written.flat();
    problems.push(...unanswered(writers, site.draining));
    await judgeStage(stage, cluster, documents);
    return {
      ...tallyOf(documents),
      sentAgain: writers.reduce((sum, writer) => sum + writer.sentAgain, 0),
      faults: happened,
      problems,
    };
  } finally {
    for (const writer of writers) writer.close();
    await sidecar.kill();
    await link.close();
  }
}

/** Enough for each to come where there is time, and not more than the work can bear. */
function faultsFor(documents: number): number {
  return Math.max(4, Math.min(24, Math.round(documents / 250)));
}

function bulkItemsFor(documents: number): readonly [number, number] {
  const most = Math.max(30, Math.min(500, Math.round(documents / 40)));
  return [Math.min(50, Math.round(most / 2)), most];
}

async function breakInTurn(
  faults: readonly Fault[],
  pace: Pace,
  site: Site,
  started: number,
  { signal, onProgress }: ScenarioOptions,
): Promise<readonly string[]> {
  const happened: string[] = [];
  for (const fault of faults) {
    await pace.turnOfFault();
    signal.throwIfAborted();
    await sleep(site.random() * 300);
    const from = Date.now();
    await fault.run(site);
    happened.push(`${fault.name} (${seconds(from - started)} to ${seconds(Date.now() - started)})`);
    onProgress(happened.at(-1) ?? '');
    pace.faultIsOver();
  }
  return happened;
}

/** Requests that the sidecar had accepted when it was asked to end, and did not answer. */
function unanswered(
  writers: readonly { readonly lost: readonly Lost[] }[],
  draining: readonly Interval[],
): string[] {
  return writers.flatMap(({ lost }) =>
    lost
      .filter(({ left, ended }) =>
        draining.some(
          ([from, to]) =>
            left !== undefined && left < from - SURELY_ACCEPTED_MS && ended > from && ended <= to + 1_000,
        ),
      )
      .map(
        ({ reason, left, ended }) =>
          `a request that was accepted before the sidecar was asked to end got no answer: ${reason} after ${(ended - (left ?? 0)) / 1000} s`,
      ),
  );
}
