/** What a Dockerfile says, as far as ours says it: instructions by stage. Pure. */

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Stages in their order; the last one is the image. Comments go, lines that a backslash ends are joined. */
export function stagesOf(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (name !== 'FROM') {
      stages.at(-1)?.instructions.push({ name, rest: rest.replaceAll(/\s+/g, ' ') });
      continue;
    }
    const [base = '', , as = `stage-${stages.length}`] = rest.split(/\s+/);
    stages.push({ name: as, base, instructions: [] });
  }
  return stages;
}

/** The value of the last instruction of that name in a stage; undefined where there is none. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((one) => one.name === name)?.rest;
}

/** The words of an instruction in its JSON form: `ENTRYPOINT ["node", "x"]`, `HEALTHCHECK … CMD ["a"]`. */
export function wordsOf(rest: string): string[] {
  const list: unknown = JSON.parse(rest.slice(rest.indexOf('[')));
  if (!Array.isArray(list)) throw new Error(`"${rest}" is not in the JSON form.`);
  return list.map(String);
}

/** `NAME=VALUE NAME=VALUE` over what is set already; `$NAME` in a value is replaced. */
export function environmentOf(
  rest: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    rest.split(' ').map((pair) => {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(pair) ?? [];
      return [name, value.replaceAll(/\$(\w+)/g, (_, used: string) => env[used] ?? '')];
    }),
  );
}

/** Whether a file of the checkout reaches the builder: our .dockerignore leaves all out and lets some back in. */
export function isInContext(path: string, dockerignore: string): boolean {
  return dockerignore
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`));
}
