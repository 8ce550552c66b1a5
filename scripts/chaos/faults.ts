/** What is broken, and repaired again, while the clients write. */
import { setTimeout as sleep } from 'node:timers/promises';
import { shuffled, type Random } from '../../src/evaluate/random.js';
import type { Cluster } from '../engine/cluster.js';
import type { Link } from './link.js';
import type { SidecarProcess } from './sidecar-process.js';

/** From and to, of Date.now(). */
export type Interval = readonly [number, number];

export interface Site {
  readonly cluster: Cluster;
  readonly link: Link;
  readonly sidecar: SidecarProcess;
  readonly random: Random;
  /** When the cluster was short of a node. */
  readonly nodeDown: Interval[];
  /** When the sidecar was asked to end, and when it had ended. */
  readonly draining: Interval[];
}

export interface Fault {
  readonly name: string;
  /** Resolves when all is whole again. */
  run(site: Site): Promise<void>;
}

const SIDECAR: readonly Fault[] = [
  {
    name: 'sidecar killed',
    async run({ sidecar, random }) {
      await sidecar.kill();
      await sleep(random() * 500);
      await sidecar.start();
    },
  },
  {
    name: 'sidecar terminated',
    async run({ sidecar, draining }) {
      const from = Date.now();
      await sidecar.terminate();
      draining.push([from, Date.now()]);
      await sidecar.start();
    },
  },
];

const ENGINE: readonly Fault[] = [{ name: 'node killed', run: killNode }];

const CONNECTION: readonly Fault[] = [
  {
    name: 'connection cut',
    async run({ link, random }) {
      const times = 3 + Math.floor(random() * 6);
      for (let i = 0; i < times; i++) {
        link.cut();
        await sleep(50 + random() * 400);
      }
    },
  },
  {
    name: 'requests cut',
    run: (site) => cutSeveral(site, 'up', 200_000),
  },
  {
    name: 'answers cut',
    run: (site) => cutSeveral(site, 'down', 20_000),
  },
  {
    name: 'connection stalled',
    async run({ link, random }) {
      link.stall();
      await sleep(300 + random() * 3_000);
      if (random() < 0.5) link.cut();
      link.open();
    },
  },
  {
    name: 'connection refused',
    async run({ link, random }) {
      link.refuse();
      await sleep(200 + random() * 2_000);
      link.open();
    },
  },
];

/** That many faults: one of the sidecar, of the engine and of the connection in turn, each kind in a random order. */
export function planFaults(count: number, random: Random): readonly Fault[] {
  const groups = shuffled([SIDECAR, ENGINE, CONNECTION], random).map((faults) => shuffled(faults, random));
  return Array.from({ length: count }, (_, i) => {
    const group = groups[i % groups.length] as readonly Fault[];
    return group[Math.floor(i / groups.length) % group.length] as Fault;
  });
}

/** Kills a random node, starts it again and waits until every copy of every shard is back. */
export async function killNode({
  cluster,
  link,
  random,
  nodeDown,
}: Pick<Site, 'cluster' | 'link' | 'random' | 'nodeDown'>): Promise<void> {
  const at = Math.floor(random() * cluster.nodes.length);
  const victim = cluster.nodes[at];
  const other = cluster.nodes[(at + 1) % cluster.nodes.length];
  if (victim === undefined || other === undefined) throw new Error('The cluster has no nodes.');
  const interval: [number, number] = [Date.now(), Infinity];
  nodeDown.push(interval);
  await victim.kill();
  await sleep(random() * 1_000);
  // As a load balancer would, some time after.
  link.lead(Number(new URL(other.url).port));
  await sleep(random() * 1_000);
  await victim.restart();
  await cluster.green();
  interval[1] = Date.now();
}

async function cutSeveral({ link, random }: Site, direction: 'up' | 'down', most: number): Promise<void> {
  for (let i = 0; i < 4; i++) {
    link.cutAfter(direction, 1 + Math.floor(random() * most));
    await sleep(200 + random() * 500);
  }
  link.open();
}
