/**
 * `npm run docs:check [-- PAGE ...]`: runs the marked commands of the documentation against a real engine, each page in
 * one bash session in an empty folder, and checks commands, options and links of all pages.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { BashSession, missingLine, stepsOf, type Step } from './docs/run-blocks.js';
import { brokenLinks, pages, readPage, unknownCommands, unknownScripts } from './docs/static-checks.js';
import { startEngine } from './engine/engine.js';
import { freePorts } from './engine/free-ports.js';
import { abortedBy, runMain, say } from './program.js';
import { PROJECT_ROOT } from './project-root.js';
import { PROGRAM } from './services.js';

const STEP_LIMIT_MS = 180_000;
/** Ports that the pages name, beside the engine's 9200; each becomes a free one. */
const PORTS = ['9201', '9202', '9203', '9204', '9211', '9212', '9213', '9214'] as const;

const stopping = abortedBy('SIGINT', 'SIGTERM');

async function main(args: readonly string[]): Promise<number> {
  const wrong = pages().flatMap((page) =>
    [...unknownCommands(page), ...unknownScripts(page), ...brokenLinks(page)].map(
      (what) => `${page}: ${what}`,
    ),
  );
  for (const line of wrong) say(line);
  const toRun = pages()
    .filter((page) => args.length === 0 || args.some((word) => page.includes(word)))
    .map((page) => ({ page, steps: stepsOf(readPage(page)) }))
    .filter(({ steps }) => steps.length > 0);
  const given = process.env['OPENSEARCH_URL'];
  const engine =
    given === undefined || given === ''
      ? await startEngine({ signal: stopping, onProgress: say })
      : undefined;
  let failed = wrong.length > 0;
  try {
    for (const { page, steps } of toRun)
      if (!(await runPage(page, steps, new URL(engine?.url ?? given ?? '').host))) failed = true;
  } finally {
    await engine?.stop();
  }
  say(failed ? 'The documentation is stale.' : `${toRun.length} pages run, ${pages().length} checked.`);
  return failed ? 1 : 0;
}

/** False where a step fails; those after it are not run. */
async function runPage(page: string, steps: readonly Step[], engine: string): Promise<boolean> {
  say(`== ${page}`);
  const folder = mkdtempSync(join(tmpdir(), 'twinrank-docs-'));
  const bin = join(folder, 'bin');
  const work = join(folder, 'work');
  mkdirSync(bin);
  mkdirSync(work);
  writeFileSync(join(bin, 'twinrank'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(join(bin, 'twinrank'), 0o755);
  const addresses = new Map([['127.0.0.1:9200', engine]]);
  const free = await freePorts(PORTS.length);
  for (const [i, port] of PORTS.entries()) addresses.set(`127.0.0.1:${port}`, `127.0.0.1:${free[i]}`);
  const session = new BashSession(work, {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    OPENSEARCH_URL: undefined,
    TWINRANK: PROJECT_ROOT,
  });
  try {
    for (const { line, script, expected } of steps) {
      stopping.throwIfAborted();
      const { output, code } = await session.run(replaced(script, addresses), STEP_LIMIT_MS);
      const missing = missingLine(expected, output);
      if (code === 0 && missing === undefined) {
        say(`   line ${line}: as it says`);
        continue;
      }
      const why = code === 0 ? `"${missing}" does not come` : `exit code ${code}`;
      say(`   line ${line}: ${why}\n${script}\n--- output\n${output}`);
      return false;
    }
    return true;
  } finally {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function replaced(script: string, addresses: ReadonlyMap<string, string>): string {
  return script.replaceAll(/127\.0\.0\.1:\d{4}/g, (address) => addresses.get(address) ?? address);
}

await runMain(main, { stopping });
