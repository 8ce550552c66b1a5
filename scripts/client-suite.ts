/**
 * `npm run client-suite -- --suite DIR`: the tests of a real client, opensearch-py, against the engine direct and
 * through the proxy and the sidecar: each test must have the same outcome. The tests wipe the cluster that they run
 * against, so the engine is always one that is started for them.
 */
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { preparePython, runSuite, type Outcome } from './client-suite/pytest-run.js';
import { cacheFolder } from '../src/cli/cache-folder.js';
import { startEngine } from './engine/engine.js';
import { abortedBy, runMain, say } from './program.js';
import { startService } from './services.js';

const USAGE = `Usage: npm run client-suite -- --suite DIR [--python COMMAND]
  --suite   a checkout of opensearch-py, the folder that holds test_opensearchpy; its packages do not carry the tests
  --python  Python 3.10 or newer, python3 if not given`;

const stopping = abortedBy('SIGINT', 'SIGTERM');

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { suite: { type: 'string' }, python: { type: 'string', default: 'python3' } },
  });
  const suite = values.suite === undefined ? undefined : resolve(values.suite);
  if (suite === undefined || !(await isThere(join(suite, 'test_opensearchpy')))) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  await mkdir(cacheFolder(), { recursive: true });
  const python = await preparePython(values.python, join(cacheFolder(), 'client-suite-python'));
  const reports = await mkdtemp(join(tmpdir(), 'twinrank-client-suite-'));
  const engine = await startEngine({ heap: '1g', signal: stopping, onProgress: say });
  const proxy = await startService('rerank', ['--upstream', engine.url], stopping);
  const sidecar = await startService('ingest', ['--upstream', engine.url], stopping);
  try {
    const direct = await runSuite(python, suite, engine.url, join(reports, 'direct.xml'));
    say(`direct   ${countsOf(direct)}`);
    let same = direct.size > 0;
    for (const [name, url] of [
      ['proxy', proxy.url],
      ['sidecar', sidecar.url],
    ] as const) {
      const through = await runSuite(python, suite, url, join(reports, `${name}.xml`));
      say(`${name.padEnd(8)} ${countsOf(through)}`);
      for (const test of new Set([...direct.keys(), ...through.keys()])) {
        const [a, b] = [direct.get(test) ?? 'missing', through.get(test) ?? 'missing'];
        if (a === b) continue;
        same = false;
        say(`  ${test}: ${a} direct, ${b} through the ${name}`);
      }
    }
    say(same ? 'The same results' : 'The results differ');
    return same ? 0 : 1;
  } finally {
    await Promise.all([proxy.stop(), sidecar.stop()]);
    await engine.stop();
    await rm(reports, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function countsOf(outcomes: ReadonlyMap<string, Outcome>): string {
  const count = (outcome: Outcome): number => [...outcomes.values()].filter((one) => one === outcome).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}

await runMain(main, { stopping });
