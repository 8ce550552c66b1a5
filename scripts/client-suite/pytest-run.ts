/** One run of a Python client's own tests against an address, as a list of outcomes by test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Outcome = 'passed' | 'failed' | 'skipped';

/** What the suite needs beside the client itself, which is taken from the suite's folder. */
const PACKAGES = [
  'pytest',
  'pytest-asyncio',
  'pyyaml',
  'requests',
  'aiohttp',
  'events',
  'urllib3',
  'certifi',
  'python-dateutil',
  'pytz',
  'numpy',
  'pandas',
];

/** The tests that talk to a server. gRPC and plugins are not HTTP or not in the engine; the last downloads its cases. */
const TESTS = ['test_opensearchpy/test_server', 'test_opensearchpy/test_async/test_server'];
const LEFT_OUT = ['test_grpc', 'test_plugins', 'test_rest_api_spec.py'];

/** A Python with the packages, made once in the folder. */
export async function preparePython(python: string, folder: string): Promise<string> {
  const own = join(folder, 'bin', 'python');
  const isThere = await access(own).then(
    () => true,
    () => false,
  );
  if (!isThere) await mustRun(python, ['-m', 'venv', folder], {});
  await mustRun(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], {});
  return own;
}

/** Runs the suite in `suite` against `url`; `report` is where pytest writes its result. */
export async function runSuite(
  python: string,
  suite: string,
  url: string,
  report: string,
): Promise<ReadonlyMap<string, Outcome>> {
  const ignored = TESTS.flatMap((folder) => LEFT_OUT.map((name) => `--ignore=${folder}/${name}`));
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...TESTS, ...ignored];
  await run(python, args, {
    cwd: suite,
    // The report says what failed; a client's own warnings are no concern of ours.
    quiet: true,
    env: { OPENSEARCH_URL: url, PYTHONPATH: suite, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' },
  });
  return outcomesIn(await readFile(report, 'utf8'));
}

/** Outcomes in a JUnit report. */
function outcomesIn(xml: string): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const match of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attribute = (name: string): string =>
      new RegExp(`\\b${name}="([^"]*)"`).exec(match[1] ?? '')?.[1] ?? '';
    const inside = match[2] ?? '';
    const outcome = /<(?:failure|error)\b/.test(inside)
      ? 'failed'
      : inside.includes('<skipped')
        ? 'skipped'
        : 'passed';
    outcomes.set(`${attribute('classname')}.${attribute('name')}`, outcome);
  }
  return outcomes;
}

interface RunOptions {
  readonly quiet?: boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function run(command: string, args: readonly string[], options: RunOptions): Promise<number> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', options.quiet === true ? 'ignore' : 'inherit'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

async function mustRun(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const code = await run(command, args, options);
  if (code !== 0) throw new Error(`"${command} ${args.join(' ')}" ended with exit code ${code}.`);
}
