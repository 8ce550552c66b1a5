/**
 * A process that encodes the benchmark's texts, ours or a peer's. It prints an empty object when its model is loaded,
 * then answers each request, a word on a line, with a line of JSON. All times are taken inside the process.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What every contestant is given, as a JSON file. */
export interface Texts {
  readonly titles: readonly string[];
  /** Encoded one at a time. */
  readonly queries: readonly string[];
  /** Of the titles: their vectors are compared. */
  readonly sample: readonly string[];
}

/** What is answered to each request. */
export interface Answers {
  readonly titles: { readonly seconds: number; readonly cpuSeconds: number };
  readonly queries: { readonly milliseconds: readonly number[] };
  readonly vectors: { readonly vectors: readonly (readonly number[])[] };
  /** Of all titles, without padding. */
  readonly tokens: { readonly tokens: number };
  /** The best rate of a matrix multiplication. */
  readonly limit: { readonly flops: number };
}

export interface Contestant {
  readonly name: string;
  ask<Request extends keyof Answers>(request: Request): Promise<Answers[Request]>;
  stop(): Promise<void>;
}

/** Starts the process on the first `cores` of the machine; resolves when it has loaded its model. */
export async function startContestant(
  name: string,
  command: readonly string[],
  cores: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Contestant> {
  const [program = '', ...args] = pinned(command, cores);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${name} ended; its own words stand above.`);
    return JSON.parse(value);
  };
  await next();
  return {
    name,
    async ask(request) {
      child.stdin.write(`${request}\n`);
      return (await next()) as Answers[typeof request];
    },
    stop() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

/** Linux can keep a process to some cores; elsewhere the number of threads must do. */
function pinned(command: readonly string[], cores: number): readonly string[] {
  return process.platform === 'linux' ? ['taskset', '--cpu-list', `0-${cores - 1}`, ...command] : command;
}
