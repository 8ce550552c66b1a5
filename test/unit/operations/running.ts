/** The built program as a process, for tests of what operators see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from '../../../scripts/services.js';

export interface Running {
  readonly url: string;
  readonly adminUrl: string;
  /** Lines of its log so far. */
  logged(): readonly Record<string, unknown>[];
  /** All that it has written on both outputs. */
  written(): string;
  /** Asks it to end; resolves to its exit code when it has. */
  end(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

const START_LIMIT_MS = 60_000;
const SMALL = ['--workers', '1', '--threads-per-worker', '1'];

/** Starts a service on free ports; rejects with its own words where it ends instead. */
export async function running(
  name: 'ingest' | 'rerank' | 'serve',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = spawn(process.execPath, [PROGRAM, name, '--listen', '127.0.0.1:0', ...SMALL, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  let out = '';
  let err = '';
  const closed = once(child, 'close') as Promise<[number | null]>;
  const end = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const [code] = await closed;
    return code;
  };
  const addresses = new Promise<[string, string]>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      const match = /listening on (\S+?), admin on ([^\s,]+)/.exec(out);
      if (match !== null) resolve([match[1] ?? '', match[2] ?? '']);
    });
    void closed.then(() => reject(new Error(`twinrank ${name} has ended: ${err}${out}`)));
    setTimeout(() => reject(new Error(`twinrank ${name} does not listen: ${err}`)), START_LIMIT_MS).unref();
  });
  const [url, adminUrl] = await addresses.catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    url,
    adminUrl,
    logged: () =>
      err
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    written: () => err + out,
    end,
    signal: (signal) => void child.kill(signal),
  };
}

/** Asks again until the answer fits; fails with the last one. */
export async function until<Value>(
  read: () => Value | Promise<Value>,
  fits: (value: Value) => boolean,
  limitMs = 10_000,
): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > deadline) throw new Error(`This did not come: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
