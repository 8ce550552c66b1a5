/**
 * The proxies of others that ours is measured against. They are no dependencies of the product: pinned versions are
 * installed once into the cache folder, and each runs as a small server file of ours next to them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { cacheFolder } from '../../src/cli/cache-folder.js';
import { PROJECT_ROOT } from '../project-root.js';

/** http-proxy-3 stays at 1.23.3, the newest version that runs on Node 20: 2.x asks for Node 22. */
const PACKAGES: Readonly<Record<string, string>> = {
  'http-proxy-3': '1.23.3',
  httpxy: '0.5.6',
  '@fastify/http-proxy': '11.6.3',
  fastify: '5.12.8',
};

/** What a peer is called in the table, and its server file. */
export const PEERS: Readonly<Record<string, string>> = {
  'http-proxy-3 1.23.3': 'http-proxy-3.mjs',
  'httpxy 0.5.6': 'httpxy.mjs',
  '@fastify/http-proxy 11.6.3': 'fastify-http-proxy.mjs',
};

const INSTALL_LIMIT_MS = 180_000;
const START_LIMIT_MS = 20_000;

/** A process that a benchmark started. */
export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Installs the peers where they are missing; the folder they are in. */
export function installPeers(output: NodeJS.WritableStream): string {
  const versions = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const folder = join(cacheFolder(), 'bench-peers', versions.join('+').replaceAll(/[^\w.+-]/g, '_'));
  const done = join(folder, 'installed');
  if (!existsSync(done)) {
    mkdirSync(folder, { recursive: true });
    output.write(`Installing ${versions.join(', ')} for comparison …\n`);
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', '--loglevel=error', ...versions];
    const { status, stderr } = spawnSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      timeout: INSTALL_LIMIT_MS,
    });
    if (status !== 0) throw new Error(`The proxies to compare with could not be installed: ${stderr}`);
    writeFileSync(done, '');
  }
  for (const file of Object.values(PEERS))
    copyFileSync(join(PROJECT_ROOT, 'scripts', 'bench', 'passthrough-peers', file), join(folder, file));
  return folder;
}

/** Starts a peer's server file over `upstream`; resolves when it listens. */
export async function startPeer(folder: string, file: string, upstream: string): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(folder, file), upstream], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = (): Promise<void> => {
    child.kill('SIGKILL');
    return exited;
  };
  const limit = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout }))
      return { url: line.trim(), pid: child.pid ?? 0, stop };
  } finally {
    clearTimeout(limit);
  }
  throw new Error(`${file} ended before it listened; its own words stand above.`);
}
