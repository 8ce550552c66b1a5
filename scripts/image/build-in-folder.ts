/** Performs the instructions of a Dockerfile in plain folders, one for each stage. */
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, posix } from 'node:path';
import { environmentOf, isInContext, type Instruction, type Stage } from './dockerfile.js';
import { startIn } from './root-folder.js';

export interface Built {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface BuildContext {
  /** The checkout. */
  readonly folder: string;
  readonly dockerignore: string;
  /** Where the stages' folders are made. */
  readonly into: string;
  readonly say: (line: string) => void;
}

/** Builds all stages; resolves to the last. Rejects with the instruction that failed. */
export async function buildInFolders(stages: readonly Stage[], context: BuildContext): Promise<Built> {
  const built = new Map<string, Built>();
  let last: Built | undefined;
  for (const stage of stages) {
    const root = join(context.into, stage.name);
    mkdirSync(root, { recursive: true });
    last = { root, workdir: '/', env: { PATH: process.env['PATH'], HOME: homedir() } };
    for (const instruction of stage.instructions) last = await perform(instruction, last, built, context);
    built.set(stage.name, last);
  }
  if (last === undefined) throw new Error('The Dockerfile has no stage.');
  return last;
}

async function perform(
  { name, rest }: Instruction,
  at: Built,
  built: ReadonlyMap<string, Built>,
  context: BuildContext,
): Promise<Built> {
  switch (name) {
    case 'WORKDIR':
      mkdirSync(join(at.root, rest), { recursive: true });
      return { ...at, workdir: posix.resolve(at.workdir, rest) };
    case 'ENV':
      return { ...at, env: { ...at.env, ...environmentOf(rest, at.env) } };
    case 'COPY':
      context.say(`COPY ${rest}`);
      copy(rest, at, built, context);
      return at;
    case 'RUN': {
      context.say(`RUN ${rest}`);
      // The builder's npm settings and cache.
      const child = startIn({ ...at, shared: [homedir()] }, ['/bin/sh', '-c', rest], 'inherit');
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`RUN ${rest}\nended with ${code}.`);
      return at;
    }
    // What the image runs, not how it is made.
    case 'USER':
    case 'EXPOSE':
    case 'ENTRYPOINT':
    case 'CMD':
    case 'HEALTHCHECK':
      return at;
    default:
      throw new Error(`${name} is an instruction that this check does not know.`);
  }
}

function copy(rest: string, at: Built, built: ReadonlyMap<string, Built>, context: BuildContext): void {
  const words = rest.split(' ');
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
  if (from !== undefined) words.shift();
  const dest = words.pop() ?? '';
  const target = join(at.root, posix.resolve(at.workdir, dest));
  for (const source of words) {
    const path =
      from === undefined ? join(context.folder, source) : join(built.get(from)?.root ?? '', source);
    if (from === undefined && !isInContext(source, context.dockerignore))
      throw new Error(`COPY ${source}: .dockerignore keeps it from the builder.`);
    if (!existsSync(path)) throw new Error(`COPY ${source}: there is none.`);
    const intoFolder = dest.endsWith('/') && !statSync(path).isDirectory();
    cpSync(path, intoFolder ? join(target, basename(source)) : target, {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}
