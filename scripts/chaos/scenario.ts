/** What both scenarios have in common: their surroundings, their report, and an index that is judged in the end. */
import type { Random } from '../../src/evaluate/random.js';
import { settingsFromMeta } from '../../src/search-engine/mapping-meta.js';
import type { Cluster, ClusterNode } from '../engine/cluster.js';
import { mustSucceed } from '../services.js';
import { DOCUMENT_MAPPING } from './documents.js';
import type { Interval } from './faults.js';
import { call, readIndex } from './inspect.js';
import type { Operation, TrackedDocument } from './ledger.js';
import { openLink, type Link } from './link.js';
import { judge, type VectorWish } from './verdict.js';
import { Writer } from './writer.js';

export interface ScenarioOptions {
  readonly cluster: Cluster;
  readonly seed: number;
  readonly documents: number;
  /** How many different titles there are. */
  readonly titles: number;
  /** Descriptor of the open file that gets the logs of our processes. */
  readonly log: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface ScenarioReport {
  readonly operations: number;
  readonly acknowledged: number;
  readonly sentAgain: number;
  /** Each item that was given up, and why. */
  readonly unacknowledged: readonly string[];
  /** What was broken, in order. */
  readonly faults: readonly string[];
  /** Everything that must not be; empty where all is well. */
  readonly problems: readonly string[];
}

/** Where a scenario plays: an index of its own, and a link that can be broken to the cluster. */
export interface Stage {
  /** When it began, of Date.now(). */
  readonly started: number;
  readonly node: ClusterNode;
  readonly index: string;
  readonly wish: VectorWish;
  readonly link: Link;
  /** When the cluster was short of a node. */
  readonly nodeDown: Interval[];
  readonly problems: string[];
}

/** Sets the stage at a node that chance picks. */
export async function setStage(
  name: string,
  { cluster, seed, signal }: ScenarioOptions,
  random: Random,
): Promise<Stage> {
  const started = Date.now();
  const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)];
  if (node === undefined) throw new Error('The cluster has no nodes.');
  const index = `twinrank-chaos-${name}-${seed}`;
  const wish = await makeIndex(node.url, index, cluster.nodes.length, signal);
  const link = await openLink(Number(new URL(node.url).port));
  return { started, node, index, wish, link, nodeDown: [], problems: [] };
}

/** A client that writes to the stage's index at this address. */
export function writerTo(url: string, { index, started, nodeDown, problems }: Stage): Writer {
  return new Writer({
    url,
    index,
    started,
    nodeWasDown: (from, to) => nodeDown.some(([down, up]) => from <= up && to >= down),
    onProblem: (text) => problems.push(text),
  });
}

/** Waits until the cluster is whole, adds what is wrong with the index to the problems, and deletes it. */
export async function judgeStage(
  { node, index, wish, problems }: Stage,
  cluster: Cluster,
  documents: readonly TrackedDocument[],
): Promise<void> {
  await cluster.green();
  problems.push(...judge(documents, await readIndex(node.url, index), wish));
  await call(`${node.url}/${index}`, 'DELETE');
}

/** Makes the index, with a copy of each shard on every node, and sets it up. Returns how its vectors must be. */
async function makeIndex(
  url: string,
  index: string,
  nodes: number,
  signal: AbortSignal,
): Promise<VectorWish> {
  const settings = { number_of_shards: 3, number_of_replicas: nodes - 1, refresh_interval: '1s' };
  await call(`${url}/${index}`, 'PUT', JSON.stringify({ settings, mappings: DOCUMENT_MAPPING }));
  await mustSucceed(
    ['mapping', 'apply', '--to', url, '--index', index, '--text', 'title'],
    'collect',
    signal,
  );
  const answer = JSON.parse(await call(`${url}/${index}/_mapping`, 'GET')) as Record<
    string,
    { mappings: { _meta?: unknown } }
  >;
  const made = settingsFromMeta(answer[index]?.mappings._meta, index);
  if (made === undefined) throw new Error(`"mapping apply" left nothing in the mapping of ${index}.`);
  return { field: made.vectorField, fingerprint: made.fingerprint };
}

/** Counts of the operations, and the names of those that were not acknowledged. */
export function tallyOf(
  documents: readonly TrackedDocument[],
): Pick<ScenarioReport, 'operations' | 'acknowledged' | 'unacknowledged'> {
  const all = documents.flatMap((document) =>
    document.operations.map((operation) => ({ document, operation })),
  );
  const open = all.filter(({ operation }) => operation.outcome !== 'acknowledged');
  return {
    operations: all.length,
    acknowledged: all.length - open.length,
    unacknowledged: open.map(({ document, operation }) => nameOf(document, operation)),
  };
}

function nameOf(document: TrackedDocument, { action, version, outcome, attempts }: Operation): string {
  const id = document.id === undefined ? 'without id' : document.id;
  return `document ${document.n} (${id}), ${action} of version ${version}: ${outcome}, ${attempts.at(-1)?.answer ?? 'never sent'}`;
}
