/**
 * A real engine on this machine: one call starts it, `stop()` ends it. It cannot outlive this process, however
 * that ends, because the launcher watches the pipe that it holds.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../project-root.js';
import { cacheFolder } from './cache-folder.js';
import { DEFAULT_ENGINE, ENGINES, type EngineRow, type EngineVersion } from './engine-table.js';
import { ensureJars } from './jars.js';
import { findJava } from './java.js';
import { clearRunFolder, lastLines, makeRunFolder, type RunFolder } from './run-folder.js';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;
const POLL_MS = 50;

export interface EngineOptions {
  readonly version?: EngineVersion;
  /** HTTP port on loopback; 0 or none takes a free one. */
  readonly port?: number;
  readonly cacheDir?: string;
  /** Java heap, for example `512m`. */
  readonly heap?: string;
  /** Keeps the indices there; without one the data go when the engine stops. */
  readonly dataDir?: string;
  /** Further settings of the node, stronger than the table's. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lets the JVM compile fully: slower to start, faster under load. For benchmarks. */
  readonly throughput?: boolean;
  /** Gives up the start. A running engine is ended by `stop()`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface Engine {
  readonly title: string;
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly log: string;
  /** Settles when the engine has ended, whoever ended it. */
  readonly exited: Promise<void>;
  /** Asks it to close, forces it after 20 s, removes its data. May be called twice. */
  stop(): Promise<void>;
}

/** Starts an engine and resolves when it answers and its cluster is yellow or green. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const row: EngineRow = ENGINES[options.version ?? DEFAULT_ENGINE];
  const cache = options.cacheDir ?? cacheFolder();
  const onProgress = options.onProgress ?? ((): void => undefined);
  const folder = join(PROJECT_ROOT, 'scripts', 'engine', row.folder);
  const java = await findJava(row.java, row.title);
  const jars = await ensureJars({
    title: row.title,
    name: row.folder,
    pom: join(folder, 'pom.xml'),
    cache,
    onProgress,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  options.signal?.throwIfAborted();
  if (options.port !== undefined && options.port !== 0) await claimPort(options.port, row.title);
  const run = await makeRunFolder(cache);
  if (options.dataDir !== undefined) await mkdir(options.dataDir, { recursive: true });
  const child = launch(java, javaArguments(row, { folder, jars, run, options }), run.log);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const stop = stopper(child, exited, run);
  try {
    const port = await waitUntilHealthy(child, run, row.title, options.signal);
    const url = `http://127.0.0.1:${port}`;
    return { title: row.title, url, port, pid: child.pid ?? 0, log: run.log, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A taken port is told at once, rather than by the engine's stack trace some seconds later. */
async function claimPort(port: number, title: string): Promise<void> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (cause) {
    throw new Error(
      `${title} cannot have port ${port} (${(cause as NodeJS.ErrnoException).code}). Choose another port, or none to get a free one.`,
      { cause },
    );
  }
  probe.close();
  await once(probe, 'close');
}

function javaArguments(
  row: EngineRow,
  at: { folder: string; jars: string; run: RunFolder; options: EngineOptions },
): readonly string[] {
  const heap = at.options.heap ?? '512m';
  const settings: Record<string, string> = {
    ...row.settings,
    'http.port': String(at.options.port ?? 0),
    'transport.port': '0',
    ...(at.options.dataDir === undefined ? {} : { 'path.data': resolve(at.options.dataDir) }),
    ...at.options.settings,
  };
  return [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    ...(at.options.throughput === true ? [] : ['-XX:TieredStopAtLevel=1']),
    `-Dlog4j2.configurationFile=${join(at.folder, 'log4j2.properties')}`,
    ...row.jvmFlags,
    '-cp',
    [join(at.jars, '*')].join(delimiter),
    join(at.folder, 'Launcher.java'),
    at.run.home,
    at.run.portFile,
    ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    ...row.plugins,
  ];
}

function launch(java: string, args: readonly string[], log: string): ChildProcess {
  const out = openSync(log, 'a');
  try {
    // Standard input is the life line. Its own process group keeps the terminal's Ctrl-C from the engine, so
    // that whoever started it can finish first and stop it last.
    const child = spawn(java, args, { stdio: ['pipe', out, out], detached: true });
    child.stdin?.on('error', () => undefined);
    return child;
  } finally {
    closeSync(out);
  }
}

function stopper(child: ChildProcess, exited: Promise<void>, run: RunFolder): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    child.stdin?.destroy();
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(force);
    await clearRunFolder(run);
  };
  return () => (stopping ??= stopOnce());
}

async function waitUntilHealthy(
  child: ChildProcess,
  run: RunFolder,
  title: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const end = Date.now() + START_LIMIT_MS;
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  while (Date.now() < end) {
    signal?.throwIfAborted();
    if (failure !== undefined) throw new Error(`${title} could not be launched: ${failure.message}`);
    if (child.exitCode !== null || child.signalCode !== null) throw await deathOf(child, run, title);
    const port = Number(await readFile(run.portFile, 'utf8').catch(() => '0'));
    if (port > 0 && (await isHealthy(port))) return port;
    await sleep(POLL_MS);
  }
  const log = await lastLines(run.log);
  throw new Error(`${title} did not become healthy within ${START_LIMIT_MS / 1000} s. Its log ends:\n${log}`);
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/_cluster/health?wait_for_status=yellow&timeout=2s`, {
      signal: AbortSignal.timeout(5_000),
    });
    const { status } = (await answer.json()) as { status?: string };
    return answer.ok && (status === 'yellow' || status === 'green');
  } catch {
    return false;
  }
}

async function deathOf(child: ChildProcess, run: RunFolder, title: string): Promise<Error> {
  const log = await lastLines(run.log);
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  return new Error(`${title} ended while starting (${how}). Its log (${run.log}) ends:\n${log}`);
}
