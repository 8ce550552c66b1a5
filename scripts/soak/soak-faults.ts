/** What goes wrong while the soak runs, one after the other at even distances. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Interval } from '../chaos/faults.js';
import type { RunningService } from '../services.js';

export interface SoakSite {
  readonly proxy: RunningService;
  readonly sidecar: RunningService;
  /** Stops the engine and starts it again on its port and data; resolves when it finds documents again. */
  readonly restartEngine: () => Promise<void>;
  readonly away: Interval[];
}

interface SoakFault {
  readonly name: string;
  run(site: SoakSite): Promise<void>;
}

const HOLDS = 4;
const BETWEEN_HOLDS_MS = 900;

const FAULTS: readonly SoakFault[] = [
  { name: "the proxy's worker crashes", run: ({ proxy }) => signal(proxy, 'SIGUSR2') },
  { name: 'the proxy encodes slowly', run: ({ proxy }) => holdUp(proxy) },
  { name: "the sidecar's workers crash", run: ({ sidecar }) => signal(sidecar, 'SIGUSR2') },
  {
    name: 'the engine restarts',
    async run({ restartEngine, away }) {
      const interval: [number, number] = [Date.now(), Infinity];
      away.push(interval);
      await restartEngine();
      interval[1] = Date.now();
    },
  },
  { name: 'the sidecar encodes slowly', run: ({ sidecar }) => holdUp(sidecar) },
];

const SHORTEST_BETWEEN_MS = 12_000;
const LONGEST_BETWEEN_MS = 60_000;

/** Runs faults in turn for that long, with the last of them well before the end. Gives their names. */
export async function faultsInTurn(
  site: SoakSite,
  ms: number,
  onFault: (name: string) => void,
): Promise<readonly string[]> {
  const between = Math.max(SHORTEST_BETWEEN_MS, Math.min(LONGEST_BETWEEN_MS, ms / (FAULTS.length + 2)));
  const end = Date.now() + ms - between;
  const happened: string[] = [];
  for (let i = 0; Date.now() + between < end; i++) {
    await sleep(between);
    const fault = FAULTS[i % FAULTS.length] as SoakFault;
    onFault(fault.name);
    await fault.run(site);
    happened.push(fault.name);
  }
  return happened;
}

function signal({ pid }: RunningService, name: NodeJS.Signals): Promise<void> {
  process.kill(pid, name);
  return Promise.resolve();
}

async function holdUp(service: RunningService): Promise<void> {
  for (let i = 0; i < HOLDS; i++) {
    await signal(service, 'SIGHUP');
    await sleep(BETWEEN_HOLDS_MS);
  }
}
