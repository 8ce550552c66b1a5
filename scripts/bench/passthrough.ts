/**
 * What the rerank proxy costs where it does nothing: requests a second and added latency beside three proxies for
 * Node and beside nginx, all over one static upstream (nginx too) and driven by wrk. Every contender is first proven
 * to answer rightly. Rounds are short and interleaved, so that what else the machine does hits all alike; medians
 * count. The CPU time for one request is printed as well: it hardly moves where other work takes the cores away.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService } from '../services.js';
import { needTools, startNginxProxy, startStatic } from './passthrough-nginx.js';
import { installPeers, PEERS, startPeer, type BenchServer } from './passthrough-peers.js';
import { proveRight } from './passthrough-proof.js';
import { median, wrk, type Measured } from './passthrough-wrk.js';

/** The least requests a second at 64 connections, as a share of the best Node peer's; 3 % is what rounds differ by. */
const FILES = [
  { path: '/1k.json', label: '1 KB', bytes: 1024, bar: 1.7 },
  { path: '/100k.json', label: '100 KB', bytes: 100 * 1024, bar: 1.3 },
  { path: '/5m.json', label: '5 MB', bytes: 5 * 1024 * 1024, bar: 0.97 },
] as const;
/** Seconds of one measurement by the number of connections: opening many is not to count for much. */
const SECONDS = { 1: 1, 64: 3 } as const;
const CONNECTIONS = [1, 64] as const;
const BAR_CONNECTIONS = 64;
const ROUNDS = 4;
const WARM_UP_SECONDS = 3;

const DIRECT = 'direct';
const OURS = 'twinrank';

interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

/** All measurements of one contender in one cell of the table. */
type Results = Map<string, Measured[]>;

/** True where all bars are met. */
export async function passthrough(output: NodeJS.WritableStream): Promise<boolean> {
  needTools(output);
  const peers = installPeers(output);
  const folder = mkdtempSync(join(tmpdir(), 'twinrank-passthrough-'));
  const servers: BenchServer[] = [];
  const start = async (name: string, starting: Promise<BenchServer>): Promise<Contender> => {
    const server = await starting;
    servers.push(server);
    return { name, url: server.url, pid: server.pid };
  };
  try {
    const direct = await start(DIRECT, startStatic(folder, writeFiles(folder)));
    const args = ['--upstream', direct.url, '--workers', '1'];
    const contenders = [
      direct,
      await start('nginx', startNginxProxy(folder, direct.url)),
      await start(OURS, startService('rerank', args, new AbortController().signal)),
    ];
    for (const [name, file] of Object.entries(PEERS))
      contenders.push(await start(name, startPeer(peers, file, direct.url)));
    for (const { name, url } of contenders)
      await proveRight(
        name,
        url,
        direct.url,
        FILES.map(({ path }) => path),
      );
    output.write(`All ${contenders.length - 1} proxies answer as the upstream does. Measuring …\n`);
    return report(await measure(contenders, output), contenders, output);
  } finally {
    for (const server of servers.reverse()) await server.stop();
    rmSync(folder, { recursive: true });
  }
}

function writeFiles(folder: string): string {
  const files = join(folder, 'files');
  mkdirSync(files);
  for (const { path, bytes } of FILES)
    writeFileSync(join(files, path), `{"text":"${'x'.repeat(bytes - 12)}"}\n`);
  return files;
}

async function measure(contenders: readonly Contender[], output: NodeJS.WritableStream): Promise<Results> {
  const results: Results = new Map();
  for (const { url, pid } of contenders)
    await wrk(url + FILES[0].path, pid, BAR_CONNECTIONS, WARM_UP_SECONDS);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { path } of FILES)
      for (const connections of CONNECTIONS)
        for (const { name, url, pid } of contenders) {
          const key = cell(path, connections, name);
          results.set(key, [
            ...(results.get(key) ?? []),
            await wrk(url + path, pid, connections, SECONDS[connections]),
          ]);
        }
    output.write(`round ${round} of ${ROUNDS} done, load average ${(loadavg()[0] ?? 0).toFixed(1)}\n`);
  }
  return results;
}

function cell(path: string, connections: number, name: string): string {
  return `${path} ${connections} ${name}`;
}

function report(results: Results, contenders: readonly Contender[], output: NodeJS.WritableStream): boolean {
  let met = true;
  for (const { path, label, bar } of FILES)
    for (const connections of CONNECTIONS) {
      const of = (name: string, figure: keyof Measured): number =>
        median((results.get(cell(path, connections, name)) ?? []).map((measured) => measured[figure]));
      const best = Math.max(...Object.keys(PEERS).map((name) => of(name, 'rate')));
      const title = `${label}, ${connections} connection${connections === 1 ? '' : 's'}`;
      output.write(
        `\n${row(title, 'requests/s', 'best peer x', 'CPU', 'p50', 'p99', 'added p50', 'added p99')}\n`,
      );
      for (const { name } of contenders) {
        const [p50, p99] = [of(name, 'p50'), of(name, 'p99')];
        const rate = of(name, 'rate');
        const added = name === DIRECT ? ['', ''] : [ms(p50 - of(DIRECT, 'p50')), ms(p99 - of(DIRECT, 'p99'))];
        output.write(
          `${row(name, Math.round(rate).toLocaleString('en'), (rate / best).toFixed(2), us(of(name, 'cpu')), ms(p50), ms(p99), ...added)}\n`,
        );
      }
      if (connections !== BAR_CONNECTIONS) continue;
      const ratio = of(OURS, 'rate') / best;
      met &&= ratio >= bar;
      output.write(`Bar: ${bar} x the best Node peer: ${ratio >= bar ? 'met' : 'NOT met'}\n`);
    }
  return met;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function us(value: number): string {
  return Number.isNaN(value) ? '' : `${Math.round(value).toLocaleString('en')} us`;
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(28) + cells.map((text) => text.padStart(13)).join('');
}
