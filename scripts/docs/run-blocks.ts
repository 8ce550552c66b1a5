/**
 * Runs the marked shell blocks of a page, in order, in one bash session. A block is marked by the word `run` behind `sh`;
 * a block `text expect` behind it says what must come out: each of its lines, in order, with `…` for anything.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Markdown } from './markdown.js';

export interface Step {
  readonly line: number;
  readonly script: string;
  readonly expected: readonly string[];
}

/** The steps of a page. Throws where something is expected of nothing. */
export function stepsOf({ fences }: Markdown): Step[] {
  const steps: { line: number; script: string; expected: readonly string[] }[] = [];
  let last: (typeof steps)[number] | undefined;
  for (const { info, text, line } of fences) {
    if (info === 'sh run') steps.push((last = { line, script: text, expected: [] }));
    else if (info === 'text expect') {
      if (last === undefined) throw new Error(`Line ${line}: an expectation without a block before it.`);
      last.expected = text.split('\n').filter((one) => one.trim() !== '');
    } else last = undefined;
  }
  return steps;
}

/** The first expected line that does not come, after those before it; undefined where all come. */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  let from = 0;
  for (const line of expected) {
    const pattern = line
      .trim()
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^\\n]*?');
    const match = new RegExp(pattern, 'm').exec(output.slice(from));
    if (match === null) return line;
    from += match.index + match[0].length;
  }
  return undefined;
}

const END = '__twinrank_step_ended__';

/** A bash session. What it starts in the background ends with it. */
export class BashSession {
  readonly #bash: ChildProcessWithoutNullStreams;
  #output = '';
  #arrived: () => void = () => undefined;

  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    // A process group of its own, so that all of it can be ended.
    this.#bash = spawn('bash', ['--noprofile', '--norc'], { cwd, env: { ...env }, detached: true });
    for (const stream of [this.#bash.stdout, this.#bash.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output += chunk;
        this.#arrived();
      });
    this.#bash.once('exit', () => this.#arrived());
  }

  /** Runs a script to its end; resolves to its output and exit code. Rejects after `limitMs`. */
  async run(script: string, limitMs: number): Promise<{ readonly output: string; readonly code: number }> {
    this.#output = '';
    this.#bash.stdin.write(`${script}\necho "${END} $?"\n`);
    const limit = AbortSignal.timeout(limitMs);
    limit.addEventListener('abort', () => this.#arrived(), { once: true });
    for (;;) {
      const end = new RegExp(`${END} (\\d+)\\n`).exec(this.#output);
      if (end !== null) return { output: this.#output.slice(0, end.index), code: Number(end[1]) };
      if (this.#bash.exitCode !== null || limit.aborted)
        throw new Error(`The block did not end within ${limitMs / 1000} s. Until then:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#bash, 'close');
    const signal = (name: NodeJS.Signals): void => {
      try {
        process.kill(-(this.#bash.pid ?? 0), name);
      } catch {
        // It is gone.
      }
    };
    signal('SIGTERM');
    const force = setTimeout(signal, 15_000, 'SIGKILL');
    await ended;
    clearTimeout(force);
  }
}
