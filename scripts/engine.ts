/** `npm run engine -- start|stop|status`: a local engine in the foreground, or detached until it is stopped. */
import { parseArgs } from 'node:util';
import { DEFAULT_ENGINE, ENGINES, type EngineVersion } from './engine/engine-table.js';
import { startEngine, type EngineOptions } from './engine/engine.js';
import {
  detachedEngines,
  type Detached,
  startDetached,
  stopDetached,
  superviseDetached,
} from './engine/detached.js';
import { abortedBy, runMain, say, UsageError } from './program.js';

const USAGE = `Usage: npm run engine -- start [--port N] [--version V] [--heap 512m] [--data FOLDER] [--detach]
       npm run engine -- stop [--port N]
       npm run engine -- status
Versions: ${Object.keys(ENGINES).join(', ')}`;

async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parse(args);
  if (positionals.length !== 1) throw new UsageError('Give one of start, stop, status.');
  switch (positionals[0]) {
    case 'start': {
      const options = engineOptions(values);
      if (values.supervise === true) return superviseDetached(options);
      return values.detach === true ? detach(args, options) : foreground(options);
    }
    case 'stop':
      return stop(portOf(values));
    case 'status': {
      const running = await detachedEngines();
      for (const { title, url } of running) say(`${title} answers at ${url}`);
      if (running.length === 0) say('No detached engine is running.');
      return running.length === 0 ? 1 : 0;
    }
    default:
      throw new UsageError(`"${positionals[0]}" is not a command.`);
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      version: { type: 'string', default: DEFAULT_ENGINE },
      heap: { type: 'string' },
      data: { type: 'string' },
      detach: { type: 'boolean' },
      // Internal: the process that holds a detached engine.
      supervise: { type: 'boolean' },
    },
  });
}

function engineOptions(values: ReturnType<typeof parse>['values']): EngineOptions {
  if (!isVersion(values.version))
    throw new UsageError(`--version: there is no recipe for "${values.version}".`);
  return {
    version: values.version,
    port: portOf(values),
    onProgress: say,
    ...(values.heap === undefined ? {} : { heap: values.heap }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
  };
}

/** 0 where none is given: any. */
function portOf({ port: text }: ReturnType<typeof parse>['values']): number {
  const port = text === undefined ? 0 : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`--port: expected a number from 0 to 65535, got "${text}".`);
  }
  return port;
}

function isVersion(text: string): text is EngineVersion {
  return Object.hasOwn(ENGINES, text);
}

async function foreground(options: EngineOptions): Promise<number> {
  const interrupted = abortedBy('SIGINT', 'SIGTERM', 'SIGHUP');
  const engine = await startEngine({ ...options, signal: interrupted }).catch((error: unknown) => {
    if (interrupted.aborted) return undefined;
    throw error;
  });
  if (engine === undefined) return 130;
  say(`${engine.title} answers at ${engine.url} (log: ${engine.log}). Ctrl-C stops it.`);
  if (engine.caFile !== undefined && engine.admin !== undefined) {
    say(
      `Certificate to trust: ${engine.caFile}. Who may do everything: ${engine.admin.username}, ${engine.admin.password}.`,
    );
  }
  const asked = new Promise<'asked'>((done) => {
    if (interrupted.aborted) done('asked');
    interrupted.addEventListener('abort', () => done('asked'));
  });
  const why = await Promise.race([asked, engine.exited.then(() => 'died' as const)]);
  await engine.stop();
  if (why === 'asked') return 0;
  throw new Error(`${engine.title} has ended by itself. Its log: ${engine.log}`);
}

/** Starts an engine that outlives the command, unless one runs on that port, or without a port any. */
async function detach(args: readonly string[], options: EngineOptions): Promise<number> {
  const [running] = await detachedOn(options.port ?? 0);
  if (running !== undefined) {
    say(`${running.title} answers at ${running.url} already.`);
    return 0;
  }
  const { title, url, log, port } = await startDetached(args, say);
  say(`${title} answers at ${url} (log: ${log}). Stop it: npm run engine -- stop --port ${port}`);
  return 0;
}

async function stop(port: number): Promise<number> {
  const [running, ...more] = await detachedOn(port);
  if (running === undefined) {
    say(port === 0 ? 'No detached engine is running.' : `No detached engine is running on port ${port}.`);
    return 0;
  }
  if (more.length > 0) {
    const ports = [running, ...more].map((engine) => engine.port).join(', ');
    throw new UsageError(
      `Several detached engines are running, on the ports ${ports}: say which with --port.`,
    );
  }
  await stopDetached(running);
  say(`The detached engine at ${running.url} is stopped.`);
  return 0;
}

async function detachedOn(port: number): Promise<Detached[]> {
  return (await detachedEngines()).filter((engine) => port === 0 || engine.port === port);
}

await runMain(main, { usage: USAGE });
