/** nginx with configurations of our own in a temporary folder: the static upstream, and the limit of what a proxy can do. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../engine/free-ports.js';
import type { BenchServer } from './passthrough-peers.js';

const START_LIMIT_MS = 10_000;

/** Installs what is missing of nginx and wrk where we may; throws saying what to install otherwise. */
export function needTools(output: NodeJS.WritableStream): void {
  const missing = (): string[] =>
    [
      ['nginx', '-v', 'nginx-light'],
      ['wrk', '-v', 'wrk'],
    ].flatMap(([tool = '', flag = '', debian = '']) =>
      spawnSync(tool, [flag]).error === undefined ? [] : [debian],
    );
  const needed = missing();
  if (needed.length === 0) return;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    output.write(`Installing ${needed.join(', ')} …\n`);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...needed], { timeout: 180_000 });
  }
  const left = missing();
  if (left.length > 0)
    throw new Error(
      `This benchmark needs nginx and wrk. Install them: apt-get install ${left.join(' ')}, or your system's own packages of these programs.`,
    );
}

/** Serves the files of `files`. */
export function startStatic(folder: string, files: string): Promise<BenchServer> {
  return startNginx(
    folder,
    'static',
    (port) => `
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    server { listen 127.0.0.1:${port} reuseport; root ${files}; }`,
  );
}

/** Passes everything on to `upstream`. */
export function startNginxProxy(folder: string, upstream: string): Promise<BenchServer> {
  return startNginx(
    folder,
    'proxy',
    (port) => `
    upstream files { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 1000000000; keepalive_time 1d; }
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://files;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_max_temp_file_size 0;
      }
    }`,
  );
}

async function startNginx(
  parent: string,
  name: string,
  http: (port: number) => string,
): Promise<BenchServer> {
  const folder = join(parent, name);
  mkdirSync(folder);
  const [port] = (await freePorts(1)) as [number];
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (path) => `    ${path}_temp_path ${folder}/${path};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
${process.getuid?.() === 0 ? 'user root;\n' : ''}events { worker_connections 1024; }
http {
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_time 1d;
    keepalive_timeout 1d;
${paths.join('\n')}${http(port)}
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = (): Promise<void> => {
    child.kill('SIGTERM');
    return exited;
  };
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`nginx (${name}) does not listen; its own words stand above.`);
    }
    await sleep(50);
  }
  return { url, pid: child.pid ?? 0, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { headers: { connection: 'close' } })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
