/** The engine's jars: fetched once by Maven into the cache, complete or not there at all. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runMaven } from './java.js';

/** Below the jars' folder: jars that came in zips. */
const ZIPS = 'from-zips';

export interface JarsRequest {
  readonly title: string;
  /** Names the cached folder, together with a hash of the pom. */
  readonly name: string;
  readonly pom: string;
  readonly megabytes: number;
  /** The pom names zips of plugins, too. */
  readonly zips: boolean;
  readonly cache: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Class path of the jars of `pom`, the server's own ahead of those that came in zips, which repeat some of them in
 * other versions. A changed pom gets a new folder, so that an old one is never mixed in.
 * Two runs that fetch at once each fill a folder of their own; the first to finish gives it its name.
 */
export async function ensureJars(request: JarsRequest): Promise<string> {
  const folder = await ensureFolder(request);
  const folders = request.zips ? [folder, join(folder, ZIPS)] : [folder];
  return folders.map((one) => join(one, '*')).join(delimiter);
}

async function ensureFolder(request: JarsRequest): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(request.pom))
    .digest('hex');
  const jars = join(request.cache, 'jars', `${request.name}-${hash.slice(0, 12)}`);
  if (await hasFiles(jars)) return jars;
  request.onProgress(`Fetching ${request.title} through Maven (about ${request.megabytes} MB, once) ...`);
  await mkdir(join(request.cache, 'jars'), { recursive: true });
  const partial = await mkdtemp(`${jars}.partial-`);
  try {
    const goal = (name: string, ...flags: readonly string[]): Promise<void> =>
      runMaven(
        ['-B', '-q', '-f', request.pom, `dependency:${name}`, ...flags],
        request.title,
        request.signal,
      );
    await goal(
      'copy-dependencies',
      '-DincludeScope=runtime',
      '-DexcludeTypes=zip',
      `-DoutputDirectory=${partial}`,
    );
    if (request.zips) {
      await goal(
        'unpack-dependencies',
        '-DincludeTypes=zip',
        '-Dmdep.unpack.includes=*.jar',
        `-DoutputDirectory=${join(partial, ZIPS)}`,
        // Beside the pom, where Maven would put them, they would say that an earlier folder's is this one's.
        `-DmarkersDirectory=${join(partial, 'markers')}`,
      );
    }
    await rename(partial, jars).catch(async (error: unknown) => {
      if (!(await hasFiles(jars))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return jars;
}

async function hasFiles(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length > 0;
}
