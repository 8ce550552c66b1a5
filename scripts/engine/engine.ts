/**
 * A real engine on this machine: one call starts it, `stop()` ends it. It cannot outlive this process, however
 * that ends, because the launcher watches the pipe that it holds.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../project-root.js';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import {
  DEFAULT_ENGINE,
  ENGINES,
  SECURED_USERS,
  type Credentials,
  type EngineRow,
  type EngineVersion,
} from './engine-table.js';
import { whyTaken } from './free-ports.js';
import { isHealthy } from './health.js';
import { ensureJars } from './jars.js';
import { findJava } from './java.js';
import { clearRunFolder, lastLines, makeRunFolder, type RunFolder } from './run-folder.js';
import { setUpSecurity } from './security.js';

const RECIPES = join(PROJECT_ROOT, 'scripts', 'engine');
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
  /** Of a secured engine: the certificate to trust (PEM file), and who may do everything. */
  readonly caFile?: string;
  readonly admin?: Credentials;
  /** Settles when the engine has ended, whoever ended it. */
  readonly exited: Promise<void>;
  /** Asks it to close, forces it after 20 s, removes its data. May be called twice. */
  stop(): Promise<void>;
  /** Ends it at once, as a lost machine would; what it has written to a folder of the caller's stays there. */
  kill(): Promise<void>;
}

/** Starts an engine and resolves when it answers and its cluster is yellow or green. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const row: EngineRow = ENGINES[options.version ?? DEFAULT_ENGINE];
  const cache = options.cacheDir ?? cacheFolder();
  const onProgress = options.onProgress ?? ((): void => undefined);
  const folder = join(RECIPES, row.folder);
  const java = await findJava(row.java, row.title);
  const classPath = await ensureJars({
    title: row.title,
    name: row.folder,
    pom: join(folder, 'pom.xml'),
    megabytes: row.megabytes,
    zips: row.zips === true,
    cache,
    onProgress,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  options.signal?.throwIfAborted();
  if (options.port !== undefined && options.port !== 0) await claimPort(options.port, row.title);
  const run = await makeRunFolder(cache);
  if (options.dataDir !== undefined) await mkdir(options.dataDir, { recursive: true });
  const security =
    row.secured === true ? await setUpSecurity(java, run.home, join(folder, 'security')) : undefined;
  const settings = nodeSettings(row, options, security?.settings);
  const child = launch(java, javaArguments(row, { classPath, run, options, settings }), run.log);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const stop = stopper(child, exited, run);
  const kill = (): Promise<void> => {
    child.kill('SIGKILL');
    return stop();
  };
  const access = security === undefined ? undefined : { caFile: security.caFile, admin: SECURED_USERS.admin };
  try {
    const { url, port } = await waitUntilHealthy(child, run, row.title, access, options.signal);
    return { title: row.title, url, port, pid: child.pid ?? 0, log: run.log, ...access, exited, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A taken port is told at once, rather than by the engine's stack trace some seconds later. */
async function claimPort(port: number, title: string): Promise<void> {
  const cause = await whyTaken(port);
  if (cause === undefined) return;
  throw new Error(
    `${title} cannot have port ${port} (${cause.code}). Choose another port, or none to get a free one.`,
    { cause },
  );
}

/** The caller's own settings are the strongest. */
function nodeSettings(
  row: EngineRow,
  options: EngineOptions,
  security: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    ...row.settings,
    ...security,
    'http.port': String(options.port ?? 0),
    'transport.port': '0',
    ...(options.dataDir === undefined ? {} : { 'path.data': resolve(options.dataDir) }),
    ...options.settings,
  };
}

function javaArguments(
  row: EngineRow,
  at: {
    readonly classPath: string;
    readonly run: RunFolder;
    readonly options: EngineOptions;
    readonly settings: Readonly<Record<string, string>>;
  },
): readonly string[] {
  const heap = at.options.heap ?? '512m';
  return [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    ...(at.options.throughput === true ? [] : ['-XX:TieredStopAtLevel=1']),
    `-Dlog4j2.configurationFile=${join(RECIPES, 'log4j2.properties')}`,
    ...row.jvmFlags,
    '-cp',
    at.classPath,
    join(RECIPES, row.launcher, 'Launcher.java'),
    at.run.home,
    at.run.portFile,
    ...Object.entries(at.settings).map(([key, value]) => `${key}=${value}`),
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
  access: { readonly caFile: string; readonly admin: Credentials } | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly url: string; readonly port: number }> {
  const end = Date.now() + START_LIMIT_MS;
  const login =
    access === undefined ? {} : { ca: await readFile(access.caFile, 'utf8'), credentials: access.admin };
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  while (Date.now() < end) {
    signal?.throwIfAborted();
    if (failure !== undefined) throw new Error(`${title} could not be launched: ${failure.message}`);
    if (child.exitCode !== null || child.signalCode !== null) throw await deathOf(child, run, title);
    const port = Number(await readFile(run.portFile, 'utf8').catch(() => '0'));
    const url = `${access === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    if (port > 0 && (await isHealthy({ url, ...login }))) return { url, port };
    await sleep(POLL_MS);
  }
  const log = await lastLines(run.log);
  throw new Error(`${title} did not become healthy within ${START_LIMIT_MS / 1000} s. Its log ends:\n${log}`);
}

async function deathOf(child: ChildProcess, run: RunFolder, title: string): Promise<Error> {
  const log = await lastLines(run.log);
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  return new Error(`${title} ended while starting (${how}). Its log (${run.log}) ends:\n${log}`);
}
