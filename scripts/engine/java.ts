/** Java and Maven as the local engine needs them, and plain words where they are missing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedJavas } from './java-homes.js';

const run = promisify(execFile);

const WITHOUT_IT =
  'Without it: `npm run test:unit` works, and so does everything else once OPENSEARCH_URL (or --url) names a running cluster.';

const NOT_RUNNING = 'does not run';

/** The machine lacks a program that the local engine needs; the message says what to install. */
class MissingProgramError extends Error {
  override readonly name = 'MissingProgramError';
}

/**
 * Path of a Java that is new enough: what `JAVA25_HOME` (for 25) or `JAVA_HOME` names, the one on the PATH, else one
 * in the machine's usual folders. A variable that names no Java is told, not passed over: somebody meant it. Throws
 * {@link MissingProgramError}.
 */
export async function findJava(atLeast: number, engine: string): Promise<string> {
  const own = `JAVA${atLeast}_HOME`;
  const remedy = `Install a JDK ${atLeast} or newer (Debian and Ubuntu: apt install openjdk-${atLeast}-jdk-headless; macOS: brew install openjdk@${atLeast}) or point ${own} or JAVA_HOME at one. ${WITHOUT_IT}`;
  const looked: string[] = [];
  for (const variable of [own, 'JAVA_HOME']) {
    const home = process.env[variable];
    if (home === undefined || home === '') continue;
    const java = join(home, 'bin', 'java');
    const problem = await problemOf(java, atLeast);
    if (problem === undefined) return java;
    looked.push(problem);
    // JAVA_HOME may be there for something else that needs an older Java.
    const isOurs = variable === own || problem.endsWith(NOT_RUNNING);
    if (isOurs)
      throw new MissingProgramError(`${engine} needs Java, and ${problem} (${variable}). ${remedy}`);
  }
  for (const java of ['java', ...(await installedJavas())]) {
    const problem = await problemOf(java, atLeast);
    if (problem === undefined) return java;
    if (java === 'java' || !problem.endsWith(NOT_RUNNING)) looked.push(problem);
  }
  throw new MissingProgramError(
    `${engine} needs Java ${atLeast} or newer, and there is none: ${looked.join('; ')}. ${remedy}`,
  );
}

/** Why this Java will not do; undefined where it will. */
async function problemOf(java: string, atLeast: number): Promise<string | undefined> {
  let banner: string;
  try {
    banner = (await run(java, ['-version'], { timeout: 30_000 })).stderr;
  } catch {
    return `"${java}" ${NOT_RUNNING}`;
  }
  const found = majorVersion(banner);
  if (found === undefined) return `"${java}" is Java of an unknown version`;
  if (found < atLeast) return `"${java}" is Java ${found}`;
  try {
    // Engines are launched from a source file.
    await run(java, ['--describe-module', 'jdk.compiler'], { timeout: 30_000 });
  } catch {
    return `"${java}" is a runtime without a compiler (a JRE)`;
  }
  return undefined;
}

/** Major version in the banner of `java -version`: 17 for "17.0.15", 8 for "1.8.0_402". */
export function majorVersion(banner: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(banner);
  return match === null ? undefined : Number(match[1]);
}

/** Runs Maven. Throws {@link MissingProgramError} where there is none, an Error with its output where it fails. */
export async function runMaven(args: readonly string[], engine: string, signal?: AbortSignal): Promise<void> {
  const mvn = process.platform === 'win32' ? 'mvn.cmd' : 'mvn';
  try {
    await run(mvn, [...args], {
      timeout: 15 * 60_000,
      maxBuffer: 16 * 1024 * 1024,
      shell: process.platform === 'win32',
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new MissingProgramError(
        `The jars of ${engine} come through Maven, and there is no "mvn" on the PATH. Install Maven 3.6 or newer (Debian and Ubuntu: apt install maven; macOS: brew install maven). ${WITHOUT_IT}`,
        { cause },
      );
    }
    signal?.throwIfAborted();
    const output = String((cause as { stdout?: unknown }).stdout ?? '').trim();
    const tail = output.split('\n').slice(-15).join('\n');
    throw new Error(
      `Maven could not fetch the jars of ${engine}. Check the network and Maven's settings.xml (mirror, proxy), then try again.\n${tail}`,
      { cause },
    );
  }
}
