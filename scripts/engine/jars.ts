/** The engine's jars: fetched once by Maven into the cache, complete or not there at all. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runMaven } from './java.js';

export interface JarsRequest {
  readonly title: string;
  /** Names the cached folder, together with a hash of the pom. */
  readonly name: string;
  readonly pom: string;
  readonly cache: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Folder that holds the jars of `pom`. A changed pom gets a new folder, so that an old one is never mixed in.
 * Two runs that fetch at once each fill a folder of their own; the first to finish gives it its name.
 */
export async function ensureJars(request: JarsRequest): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(request.pom))
    .digest('hex');
  const jars = join(request.cache, 'jars', `${request.name}-${hash.slice(0, 12)}`);
  if (await hasFiles(jars)) return jars;
  request.onProgress(`Fetching ${request.title} through Maven (about 60 MB, once) ...`);
  await mkdir(join(request.cache, 'jars'), { recursive: true });
  const partial = await mkdtemp(`${jars}.partial-`);
  try {
    await runMaven(
      [
        '-B',
        '-q',
        '-f',
        request.pom,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${partial}`,
      ],
      request.title,
      request.signal,
    );
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
