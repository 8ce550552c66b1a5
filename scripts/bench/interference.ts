/**
 * Does encoding a large bulk body make other callers wait? A 5,000-line `_bulk` goes through the sidecar while 50
 * searches a second pass through the same sidecar; the same searches are sent direct in turn, so that the engine's
 * own share shows. Bar: p95 of the searches that pass through below 25 ms.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustSucceed, startService } from '../services.js';
import { NEVER } from './bench-run.js';
import { benchAgent, percentile, send, writeBulk } from './http-client.js';

const LINES = 5_000;
const SEARCHES_A_SECOND = 50;
const BAR_MS = 25;
const INDEX = 'twinrank-bench-interference';

const WORDS = [
  'red',
  'city',
  'bicycle',
  'password',
  'refund',
  'river',
  '退款',
  '密码',
  '地址',
  'museum',
  'history',
  'engine',
  'music',
  '自行车',
];

export async function interference(engine: string, output: NodeJS.WritableStream): Promise<boolean> {
  const sidecar = await startService('ingest', ['--upstream', engine], NEVER);
  try {
    await send(agent, engine, 'DELETE', `/${INDEX}?ignore_unavailable=true`);
    await mustSucceed(['mapping', 'apply', '--to', engine, '--index', INDEX], 'show', NEVER);
    await writeBulk(agent, sidecar.url, INDEX, titles(200, 1));
    await send(agent, engine, 'POST', `/${INDEX}/_refresh`);
    const quiet = await searchAlternately(engine, sidecar.url, async () => {
      await sleep(5_000);
    });
    const started = performance.now();
    let seconds = 0;
    const busy = await searchAlternately(engine, sidecar.url, async () => {
      await writeBulk(agent, sidecar.url, INDEX, titles(LINES, 2));
      seconds = (performance.now() - started) / 1000;
    });
    await send(agent, engine, 'DELETE', `/${INDEX}`);
    output.write(
      `\n${LINES} lines encoded and written in ${seconds.toFixed(1)} s (${Math.round(LINES / seconds)} titles/s), ${SEARCHES_A_SECOND} searches/s beside it\n`,
    );
    output.write(`${line('', 'p50', 'p95', 'p99', 'searches')}\n`);
    for (const [name, times] of [
      ['quiet, direct', quiet.direct],
      ['quiet, through the sidecar', quiet.through],
      ['while encoding, direct', busy.direct],
      ['while encoding, through the sidecar', busy.through],
    ] as const) {
      output.write(`${line(name, ms(times, 0.5), ms(times, 0.95), ms(times, 0.99), String(times.length))}\n`);
    }
    const met = percentile(busy.through, 0.95) < BAR_MS;
    output.write(
      `Bar: p95 through the sidecar while encoding below ${BAR_MS} ms: ${met ? 'met' : 'NOT met'}\n`,
    );
    return met;
  } finally {
    await sidecar.stop();
  }
}

/** Random titles of three to nine words; the seed keeps runs alike and warm-up and measurement apart. */
function titles(count: number, seed: number): string {
  let state = seed * 2654435761;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from(
      { length: 3 + Math.floor(next() * 7) },
      () => WORDS[Math.floor(next() * WORDS.length)],
    );
    return `{"index":{"_id":"${seed}-${i}"}}\n${JSON.stringify({ title: `${words.join(' ')} ${i}` })}\n`;
  }).join('');
}

/** Searches at an even rate, alternately direct and through, on an open loop: a slow answer delays no other. */
async function searchAlternately(
  direct: string,
  through: string,
  work: () => Promise<void>,
): Promise<{ direct: number[]; through: number[] }> {
  const times = { direct: [] as number[], through: [] as number[] };
  const pending: Promise<void>[] = [];
  let working = true;
  const done = work().finally(() => {
    working = false;
  });
  const started = performance.now();
  for (let i = 0; working; i++) {
    const due = started + (i * 1000) / SEARCHES_A_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const side = i % 2 === 0 ? 'direct' : 'through';
    const sent = performance.now();
    pending.push(
      send(
        agent,
        side === 'direct' ? direct : through,
        'POST',
        `/${INDEX}/_search`,
        '{"query":{"match":{"title":"red bicycle"}}}',
      ).then(() => {
        times[side].push(performance.now() - sent);
      }),
    );
  }
  await done;
  await Promise.all(pending);
  return times;
}

const agent = benchAgent();

function ms(times: readonly number[], share: number): string {
  return `${percentile(times, share).toFixed(1)} ms`;
}

function line(name: string, ...cells: readonly string[]): string {
  return name.padEnd(38) + cells.map((cell) => cell.padStart(10)).join('');
}
