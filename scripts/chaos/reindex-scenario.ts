/**
 * Two workers give vectors to an index that has none, while one of them is killed and started again, others edit
 * and delete documents past them, and (for every other seed or so) a node is killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, shuffled, type Random } from '../../src/evaluate/random.js';
import { changeOf } from './crowd.js';
import { titlePool, wholeSource } from './documents.js';
import { killNode } from './faults.js';
import { operation, type TrackedDocument } from './ledger.js';
import {
  judgeStage,
  setStage,
  tallyOf,
  writerTo,
  type ScenarioOptions,
  type ScenarioReport,
} from './scenario.js';
import { watchShare, type ShareWatch } from './watch-share.js';
import { startWorker, type WorkerProcess } from './worker-process.js';
import type { Item, Writer } from './writer.js';

/** Well above the two seconds between a worker's signs of life, so that a busy machine takes nothing from a live one. */
const LEASE_MS = 5_000;
const EDITED_SHARE = 0.05;
/** Two workers take at least this long, so that something can be broken while it lasts. */
const LEAST_SECONDS = 12;
/**
 * Slices of the job, about. A worker holds two at once, so what the victim holds is at most a third, and the other
 * brings the rest beyond the share at which the victim is killed.
 */
const SLICES = 6;
const KILLED_FROM = 0.1;
const KILLED_UNTIL = 0.5;
/** The victim takes at least about so long for what it holds: the job cannot end before it is killed. */
const VICTIM_SECONDS = 300;
const LOAD_ITEMS = 500;

export async function reindexScenario(options: ScenarioOptions): Promise<ScenarioReport> {
  const { cluster, seed, documents: count, signal, onProgress } = options;
  const random = createRandom(seed + 2_000_003);
  const stage = await setStage('reindex', options, random);
  const { index, wish, link, nodeDown, problems } = stage;
  const faults: string[] = [];
  const editor = writerTo(link.url, stage);
  const watch = watchShare(link.url, index, wish.field, count);
  const workers: WorkerProcess[] = [];
  /** Workers that run or will be started. */
  let expected = 0;
  const start = (pace = Math.ceil(count / LEAST_SECONDS / 2), ...more: string[]): WorkerProcess => {
    const slice = String(Math.ceil(count / SLICES));
    const worker = startWorker(
      [
        ...['--to', link.url, '--index', index, '--lease', String(LEASE_MS), '--slice-documents', slice],
        ...['--docs-per-second', String(pace), ...more],
      ],
      options.log,
    );
    workers.push(worker);
    expected++;
    // Whoever waits for a share that no longer comes is let go.
    void worker.ended.then(() => {
      expected--;
      if (expected === 0) watch.end();
    });
    return worker;
  };
  const stop = (): void => {
    for (const worker of workers) worker.kill();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const titles = titlePool(options.titles, random);
    const documents = await load(count, titles, random, editor);
    const killAt = KILLED_FROM + random() * (KILLED_UNTIL - KILLED_FROM);
    const comeBackMs = random() < 0.5 ? random() * 1_000 : LEASE_MS + 1_000 + random() * 1_000;
    const nodeAt = random() < 0.5 ? 0.1 + random() * 0.7 : undefined;
    const slow = Math.max(1, Math.floor((2 * count) / SLICES / VICTIM_SECONDS));
    // Small pages, so that it has written something soon, and is seen to hold its slices before the other joins.
    const victim = start(slow, '--batch', String(3 * slow));
    await watch.reached(1 / count);
    const survivor = start();
    const restarted = (async () => {
      if (!(await watch.reached(killAt)) || !victim.kill()) return undefined;
      expected++;
      faults.push(`worker killed at ${Math.round(killAt * 100)} %`);
      onProgress(faults.at(-1) ?? '');
      await sleep(comeBackMs);
      const again = start();
      expected--;
      return again;
    })();
    const nodeKilled = (async () => {
      if (nodeAt === undefined || !(await watch.reached(nodeAt))) return;
      faults.push(`node killed at ${Math.round(nodeAt * 100)} %`);
      onProgress(faults.at(-1) ?? '');
      await killNode({ cluster, link, random, nodeDown });
    })();
    const edits = edit(shuffled(documents, random).slice(0, Math.ceil(count * EDITED_SHARE)), {
      titles,
      random: createRandom(seed + 3_000_017),
      editor,
      watch,
    });
    const [edited, again] = await Promise.all([edits, restarted, nodeKilled]);
    // Whoever ends the run ends the workers too, which says nothing about them.
    signal.throwIfAborted();
    const ends = [await survivor.ended, ...(again === undefined ? [] : [await again.ended])];
    for (const { code, lastWords } of ends)
      if (code !== 0)
        problems.push(`a worker that nobody killed ended with exit code ${code}:\n${lastWords}`);
    if (again === undefined)
      problems.push(`the worker that was to be killed had ended:\n${(await victim.ended).lastWords}`);
    faults.push(`${edited} documents edited`);
    await judgeStage(stage, cluster, documents);
    return { ...tallyOf(documents), sentAgain: editor.sentAgain, faults, problems };
  } finally {
    signal.removeEventListener('abort', stop);
    watch.end();
    stop();
    editor.close();
    await link.close();
  }
}

/** Writes that many documents straight into the engine, without vectors. */
async function load(
  count: number,
  titles: readonly string[],
  random: Random,
  writer: Writer,
): Promise<readonly TrackedDocument[]> {
  const documents: TrackedDocument[] = [];
  while (documents.length < count) {
    const items: Item[] = [];
    while (items.length < LOAD_ITEMS && documents.length < count) {
      const n = documents.length;
      const title = titles[Math.floor(random() * titles.length)] ?? '';
      const first = operation('index', 1, title, wholeSource(n, 1, title));
      const document: TrackedDocument = { n, id: `d-${n}`, operations: [first] };
      documents.push(document);
      items.push({ document, operation: first });
    }
    await writer.write(items, 'bulk');
  }
  return documents;
}

/** Changes each of the documents once, spread over the first part of the run. Returns how many it came to. */
async function edit(
  documents: readonly TrackedDocument[],
  by: {
    readonly titles: readonly string[];
    readonly random: Random;
    readonly editor: Writer;
    readonly watch: ShareWatch;
  },
): Promise<number> {
  for (const [i, document] of documents.entries()) {
    if (!(await by.watch.reached((0.7 * i) / documents.length))) return i;
    const title = by.titles[Math.floor(by.random() * by.titles.length)] ?? '';
    const next = changeOf(document, title, by.random);
    document.operations.push(next);
    await by.editor.write([{ document, operation: next }], by.random() < 0.5 ? 'single' : 'bulk');
  }
  return documents.length;
}
