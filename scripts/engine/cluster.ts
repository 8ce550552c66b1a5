/** Several engine nodes on this machine as one cluster, each of which can be killed and started again with its data. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { startEngine, type Engine } from './engine.js';
import { freePorts } from './free-ports.js';
import { clusterIsGreen } from './health.js';
import { clearRunFolder, makeRunFolder } from './run-folder.js';

const GREEN_LIMIT_MS = 180_000;
const POLL_MS = 100;

export interface ClusterOptions {
  readonly nodes?: number;
  /** Java heap of each node. */
  readonly heap?: string;
  /** Gives up the start. A running cluster is ended by `stop()`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface ClusterNode {
  readonly name: string;
  /** The same after each start. */
  readonly url: string;
  isUp(): boolean;
  /** Ends it at once (SIGKILL); its data stay. */
  kill(): Promise<void>;
  /** Starts it on its ports with its data, and resolves when it has joined the cluster and answers. */
  restart(): Promise<void>;
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  /** Resolves when all nodes are there and every copy of every shard is in place; rejects after three minutes. */
  green(): Promise<void>;
  /** Ends all nodes and removes their data. */
  stop(): Promise<void>;
}

/** Starts the nodes at the same time, since none is healthy without the others, and resolves when all are. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const count = options.nodes ?? 3;
  const data = await makeRunFolder(cacheFolder());
  const ports = await freePorts(2 * count);
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const shared = {
    // The default of the engine, named since the table's settings are those of a lone node.
    'discovery.type': 'zen',
    'discovery.seed_hosts': ports
      .slice(count)
      .map((port) => `127.0.0.1:${port}`)
      .join(','),
    'cluster.initial_cluster_manager_nodes': names.join(','),
    // Several clusters on one machine must not find each other by an old port.
    'cluster.name': `twinrank-${process.pid}-${ports[0]}`,
  };
  const nodes = names.map((name, i) =>
    clusterNode(name, ports[i] ?? 0, (signal) =>
      startEngine({
        port: ports[i] ?? 0,
        heap: options.heap ?? '384m',
        dataDir: join(data.home, name),
        settings: { ...shared, 'node.name': name, 'transport.port': String(ports[count + i]) },
        ...(signal === undefined ? {} : { signal }),
        ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      }),
    ),
  );
  const cluster: Cluster = {
    nodes,
    green: () => waitForGreen(nodes),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await clearRunFolder(data);
    },
  };
  const failing = new AbortController();
  const signal = AbortSignal.any([failing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const started = nodes.map((node) => node.start(signal));
  try {
    await Promise.all(started);
    await cluster.green();
    return cluster;
  } catch (error) {
    failing.abort();
    await Promise.allSettled(started);
    await cluster.stop();
    throw error;
  }
}

function clusterNode(
  name: string,
  port: number,
  launch: (signal?: AbortSignal) => Promise<Engine>,
): ClusterNode & { start(signal?: AbortSignal): Promise<void>; stop(): Promise<void> } {
  let engine: Engine | undefined;
  const start = async (signal?: AbortSignal): Promise<void> => {
    engine = await launch(signal);
  };
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    isUp: () => engine !== undefined,
    start,
    restart: () => start(),
    async kill() {
      const running = engine;
      engine = undefined;
      await running?.kill();
    },
    async stop() {
      await engine?.stop();
      engine = undefined;
    },
  };
}

async function waitForGreen(nodes: readonly ClusterNode[]): Promise<void> {
  const asked = nodes.find((node) => node.isUp());
  const end = Date.now() + GREEN_LIMIT_MS;
  while (asked === undefined || !(await clusterIsGreen(asked.url, nodes.length))) {
    if (Date.now() > end) {
      throw new Error(`The cluster of ${nodes.length} nodes is not green after ${GREEN_LIMIT_MS / 1000} s.`);
    }
    await sleep(POLL_MS);
  }
}
