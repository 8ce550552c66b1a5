/**
 * `npm run pack:check`: packs the project, installs the package globally into an empty folder by the ordinary npm client,
 * and runs it from there: version, the model's proof, and the proxy until it drains.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runMain, say } from './program.js';
import { PROJECT_ROOT } from './project-root.js';

const LIMIT_MS = 60_000;

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'twinrank-pack-'));
  const work = join(folder, 'work');
  const prefix = join(folder, 'prefix');
  mkdirSync(work);
  mkdirSync(prefix);
  try {
    const file = run('npm', ['pack', '--silent', '--pack-destination', folder], PROJECT_ROOT).trim();
    const tarball = join(folder, file);
    say(`${file}: ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
    run('npm', ['install', '--global', '--prefix', prefix, '--no-fund', '--no-audit', tarball], work);
    const program = join(prefix, 'bin', 'twinrank');

    const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const said = run(program, ['--version'], work).trim();
    if (said !== version) throw new Error(`twinrank --version says "${said}", the package ${version}.`);
    say(`twinrank --version: ${said}`);
    say(`twinrank model verify: ${run(program, ['model', 'verify'], work).trim().split('\n').at(-1)}`);
    await runProxy(program, work);
    say('The package installs globally and runs.');
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}

async function runProxy(program: string, cwd: string): Promise<void> {
  const engine = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const upstream = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  const proxy = spawn(program, ['rerank', '--upstream', upstream, '--listen', '127.0.0.1:0'], {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(proxy, 'exit');
  try {
    const lines = createInterface({ input: proxy.stdout });
    const [line] = (await Promise.race([
      once(lines, 'line', { signal: AbortSignal.timeout(LIMIT_MS) }),
      ended.then(() => ['it ended']),
    ])) as [string];
    const admin = /admin on (\S+)/.exec(line)?.[1];
    if (admin === undefined) throw new Error(`twinrank rerank does not start: ${line}`);
    const ready = await fetch(`${admin}/health/ready`);
    if (ready.status !== 200) throw new Error(`twinrank rerank is not ready: ${await ready.text()}`);
    say(line);
    proxy.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new Error(`twinrank rerank ended with ${code} at SIGTERM.`);
  } finally {
    proxy.kill('SIGKILL');
    engine.close();
  }
}

await runMain(main);
