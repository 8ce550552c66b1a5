/**
 * `npm run image:check`: does in plain folders what the Dockerfile says (no container is needed), then runs both services
 * and the health check as the image would: its user and paths, a root that cannot be written to, no capabilities.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './engine/free-ports.js';
import { buildInFolders, type Built } from './image/build-in-folder.js';
import { lastOf, stagesOf, wordsOf, type Stage } from './image/dockerfile.js';
import { startIn, whyNot, type InRoot } from './image/root-folder.js';
import { runMain, say } from './program.js';
import { PROJECT_ROOT } from './project-root.js';

const LIMIT_MS = 60_000;

async function main(): Promise<number> {
  const reason = whyNot();
  if (reason !== undefined) {
    say(`Skipped: this needs Linux with namespaces (${reason}).`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'twinrank-image-'));
  const engine = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(engine, 'listening');
  try {
    const stages = stagesOf(readFileSync(join(PROJECT_ROOT, 'Dockerfile'), 'utf8'));
    const built = await buildInFolders(stages, {
      folder: PROJECT_ROOT,
      dockerignore: readFileSync(join(PROJECT_ROOT, '.dockerignore'), 'utf8'),
      into: folder,
      say,
    });
    const image = stages.at(-1);
    if (image === undefined) throw new Error('The Dockerfile has no stage.');
    await checkConfinement(built, image);
    for (const service of ['rerank', 'ingest'])
      await checkService(built, image, service, (engine.address() as AddressInfo).port);
    say('The image holds what it needs and runs as its user.');
    return 0;
  } finally {
    engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As the image's user, with its cache alone to write to. */
function asImage(built: Built, image: Stage, env: Readonly<Record<string, string>>): InRoot {
  const [uid = 0, gid = 0] = (lastOf(image, 'USER') ?? '').split(':').map(Number);
  if (!(uid > 0 && gid > 0)) throw new Error('The image has no USER by number that is not root.');
  const cache = built.env['TWINRANK_CACHE'] ?? '';
  const { HOME: _, ...own } = built.env;
  return { ...built, env: { ...own, ...env }, confined: { uid, gid, inMemory: [cache] } };
}

/** Shows that the confinement is one, so that what runs in it has been shown to need no more. */
async function checkConfinement(built: Built, image: Stage): Promise<void> {
  const script = `
    const { writeFileSync } = require('node:fs');
    const blocked = (path) => { try { writeFileSync(path, ''); return false; } catch { return true; } };
    console.log(JSON.stringify({ uid: process.getuid(), app: blocked('/app/x'), root: blocked('/x'), cache: !blocked(process.env.TWINRANK_CACHE + '/x') }));`;
  const { code, text } = await output(asImage(built, image, {}), ['node', '-e', script]);
  const seen = JSON.parse(text) as { uid: number; app: boolean; root: boolean; cache: boolean };
  if (code !== 0 || !seen.app || !seen.root || !seen.cache)
    throw new Error(`The image's user can write elsewhere than to its cache: ${text}`);
  if (process.getuid?.() === 0 && seen.uid === 0) throw new Error('The image runs as root.');
  say(`The user ${seen.uid} can write to ${built.env['TWINRANK_CACHE']} and nowhere else.`);
}

async function checkService(built: Built, image: Stage, name: string, enginePort: number): Promise<void> {
  const [port] = (await freePorts(1)) as [number];
  const where = asImage(built, image, { TWINRANK_ADMIN: `127.0.0.1:${port}` });
  const entry = wordsOf(lastOf(image, 'ENTRYPOINT') ?? '');
  const args = [name, '--upstream', `http://127.0.0.1:${enginePort}`, '--listen', '127.0.0.1:0'];
  const service = startIn(where, [...entry, ...args], 'pipe');
  service.stderr?.resume();
  const ended = once(service, 'exit');
  try {
    const lines = createInterface({ input: service.stdout ?? process.stdin });
    const limit = AbortSignal.timeout(LIMIT_MS);
    const [line] = (await Promise.race([
      once(lines, 'line', { signal: limit }),
      ended.then(() => ['it ended']),
    ])) as [string];
    if (!line.includes('listening on')) throw new Error(`twinrank ${name} does not start: ${line}`);
    const check = wordsOf(lastOf(image, 'HEALTHCHECK') ?? '');
    const healthy = await output(where, check);
    if (healthy.code !== 0) throw new Error(`The health check of a running ${name} fails: ${healthy.text}`);
    say(`${line}; health check: ${healthy.text.trim()}`);
    service.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new Error(`twinrank ${name} ended with ${code} at SIGTERM.`);
    if ((await output(where, check)).code === 0)
      throw new Error('The health check succeeds although nothing runs.');
  } finally {
    service.kill('SIGKILL');
  }
}

async function output(
  where: InRoot,
  command: readonly string[],
): Promise<{ code: number | null; text: string }> {
  const child = startIn(where, command, 'pipe');
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

await runMain(main);
