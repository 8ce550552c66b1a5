/**
 * How much memory does the sidecar need for many large bulk bodies at once? Real bodies through the sidecar into the
 * real engine; the sidecar runs as a process of its own, whose resident memory is sampled. Bar: at most 400 MB above
 * idle, whatever the bodies are like.
 */
import { performance } from 'node:perf_hooks';
import { mustSucceed, startService } from '../services.js';
import { NEVER, numberOptions, type BenchRun } from './bench-run.js';
import { bulkBody, sendBulk, type BulkAnswer } from './bulk-body.js';
import { benchAgent, send } from './http-client.js';
import { watchMemory } from './process-watch.js';
import { titleSource } from './titles.js';

const MB = 1024 * 1024;
export const BULK_MEMORY_BAR_MB = 400;
const INDEX = 'twinrank-bench-bulk-memory';

/** Takes a body of 1 GB, and does not refuse twenty of 95 MB for what it must hold of them. */
export const BULK_MEMORY_ENGINE = {
  heap: '5g',
  throughput: true,
  settings: { 'http.max_content_length': '1200mb', 'indexing_pressure.memory.limit': '80%' },
};

export interface BulkMemoryCase {
  readonly name: string;
  readonly bodies: number;
  readonly bytes: number;
  readonly documentBytes: number;
  /** Distinct titles; they are used in turn, so fewer than documents means that they come again. */
  readonly titles: number;
  /** Whether the index is set up for vectors. */
  readonly configured: boolean;
}

export interface BulkMemoryResult {
  readonly idleMb: number;
  readonly peakMb: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly documents: number;
  readonly written: number;
  readonly answers: readonly BulkAnswer[];
}

/** Sends the bodies of one case at once through a sidecar of its own (Linux only). */
export async function measureBulkMemory(engine: string, test: BulkMemoryCase): Promise<BulkMemoryResult> {
  const agent = benchAgent();
  const titles = (await titleSource(2)).take(test.titles);
  const sidecar = await startService('ingest', ['--upstream', engine], NEVER);
  try {
    await send(agent, engine, 'DELETE', `/${INDEX}?ignore_unavailable=true`);
    // What is measured needs no searchable documents: the engine shall have time for the rest.
    const settings = { 'index.number_of_replicas': 0, 'index.refresh_interval': '-1' };
    const mappings = { properties: { title: { type: 'text' }, body: { type: 'text', index: false } } };
    await send(agent, engine, 'PUT', `/${INDEX}`, JSON.stringify({ settings, mappings }));
    if (test.configured)
      await mustSucceed(['mapping', 'apply', '--to', engine, '--index', INDEX], 'collect', NEVER);
    const bodies = Array.from({ length: test.bodies }, (_, i) =>
      bulkBody(titles, { ...test, first: Math.floor((i * titles.length) / test.bodies) }),
    );
    const watch = await watchMemory(sidecar.pid);
    const began = performance.now();
    const answers = await Promise.all(bodies.map((body) => sendBulk(sidecar.url, INDEX, body)));
    const seconds = (performance.now() - began) / 1000;
    const { idleMb, peakMb } = watch.stop();
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      idleMb,
      peakMb,
      seconds,
      bytes: sum(bodies.map((body) => body.bytes)),
      documents: sum(bodies.map((body) => body.documents)),
      written: sum(answers.map((answer) => answer.items.get(201) ?? 0)),
      answers,
    };
  } finally {
    await send(agent, engine, 'DELETE', `/${INDEX}?ignore_unavailable=true`);
    agent.destroy();
    await sidecar.stop();
  }
}

/** Sizes in MB; `titles` are distinct ones among the large documents, `only` picks one case by its place. */
const DEFAULTS = { bodies: 20, megabytes: 95, 'big-megabytes': 1024, titles: 2_000, only: Infinity };

export async function bulkMemory({ engine, args, output }: BenchRun): Promise<boolean> {
  const options = numberOptions(args, DEFAULTS);
  const large = { documentBytes: 100_000, titles: options.titles, configured: true };
  const small = { documentBytes: 300, titles: 200 };
  const many = { bodies: options.bodies, bytes: options.megabytes * MB };
  // A third of a million items in each body of 95 MB: with vectors the engine would need an hour for twenty.
  const fewer = { ...many, bytes: many.bytes / 16 };
  const one = { bodies: 1, bytes: options['big-megabytes'] * MB };
  const cases: readonly BulkMemoryCase[] = [
    { name: 'documents of 100 KB', ...many, ...large },
    { name: 'documents of 100 KB, one body', ...one, ...large },
    { name: 'documents of 300 bytes, no vectors', ...many, ...small, configured: false },
    { name: 'documents of 300 bytes, titles that repeat', ...fewer, ...small, configured: true },
  ];
  let met = true;
  for (const [place, test] of cases.entries()) {
    if (options.only !== Infinity && options.only !== place + 1) continue;
    const result = await measureBulkMemory(engine.url, test);
    const growth = result.peakMb - result.idleMb;
    if (growth >= BULK_MEMORY_BAR_MB) met = false;
    output.write(
      `${test.name}: ${test.bodies} x ${(test.bytes / MB).toFixed(0)} MB in ${result.seconds.toFixed(1)} s (${(result.bytes / MB / result.seconds).toFixed(1)} MB/s), ${result.written} of ${result.documents} documents written\n` +
        `  sidecar idle ${result.idleMb.toFixed(0)} MB, peak ${result.peakMb.toFixed(0)} MB, growth ${growth.toFixed(0)} MB; answers ${answersText(result.answers)}\n`,
    );
  }
  output.write(`Bar: growth below ${BULK_MEMORY_BAR_MB} MB: ${met ? 'met' : 'NOT met'}\n`);
  return met;
}

/** Answers by status, their items by status, and the first words of a refusal. */
function answersText(answers: readonly BulkAnswer[]): string {
  const byStatus = new Map<number, number>();
  const items = new Map<number, number>();
  let replyBytes = 0;
  for (const answer of answers) {
    byStatus.set(answer.status, (byStatus.get(answer.status) ?? 0) + 1);
    for (const [status, count] of answer.items) items.set(status, (items.get(status) ?? 0) + count);
    replyBytes += answer.replyBytes;
  }
  const list = (counts: ReadonlyMap<number, number>): string =>
    [...counts].map(([status, count]) => `${count} x ${status}`).join(', ');
  const refusal = answers.find(({ status }) => status !== 200)?.head;
  return `${list(byStatus)}; items ${list(items)}; ${(replyBytes / MB).toFixed(1)} MB${refusal === undefined ? '' : `\n  ${refusal}`}`;
}
