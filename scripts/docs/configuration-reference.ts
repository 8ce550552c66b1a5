/** docs/configuration.md, made from the option tables. Pure. */
import { configurable, type CatalogEntry } from '../../src/cli/catalog.js';
import { CONFIG_OPTION } from '../../src/cli/config-file.js';
import type { Option } from '../../src/cli/options.js';

const INTRODUCTION = `# Configuration

Made from the option tables by \`npm run docs:config\`; a test fails when it is out of date.

Every option can be given in three ways. The first that names it decides:

1. as a **flag**: \`--budget 200\`, \`--budget=200\`;
2. in the **environment**: \`TWINRANK_BUDGET=200\`; a variable that is empty counts as not set. Options that may be given
   several times take a list with commas;
3. in the **configuration file** that \`--${CONFIG_OPTION.flag} FILE\` or \`${String(CONFIG_OPTION.env)}\` names.

What asks for one run, or destroys something (\`--dry-run\`, \`--force\`), is taken from the command line alone: a variable
that was forgotten must not delete an index. Such options have "–" below.

## The configuration file

JSON or YAML. The keys are the names of the options without dashes in front. Those at the top hold for every command
that has the option; those below the name of a command hold for it alone, and go before those at the top. Paths are
relative to the folder in which the program is started.

\`\`\`yaml
upstream: https://twinrank:password@engine:9200
ca: /etc/twinrank/ca.pem
model: /models/mine
rerank:
  listen: 0.0.0.0:9202
  budget: 200
ingest:
  listen: 0.0.0.0:9201
model bench:
  seconds: 60
\`\`\`

The whole file is checked by whichever command reads it. A key that is no option is an error that names the nearest
one.

## What is in force

\`\`\`sh
twinrank config print rerank --config /etc/twinrank.yaml --mode shadow
\`\`\`

prints each option of the command, its value, and where it comes from: the flag, the variable, the file and its key, or
the default. Passwords in addresses and other secrets are not shown, nor is the content of files that hold keys. Values
that cannot be used, and variables that begin with \`TWINRANK_\` and that nothing reads, are named after the table.
\`--json\` prints one JSON document. The exit code is 2 where a value cannot be used.
`;

/** The whole page. */
export function configurationReference(entries: readonly CatalogEntry[]): string {
  return `${INTRODUCTION}${configurable(entries).map(section).join('')}`;
}

function section({ name, summary, positionals, options }: CatalogEntry): string {
  const rows = Object.values(options).map(row);
  return (
    `\n## ${['twinrank', name, ...positionals].join(' ')}\n\n${summary}\n\n` +
    `| flag | environment | file key | default | what it does |\n|---|---|---|---|---|\n${rows.join('')}`
  );
}

function row(option: Option<unknown>): string {
  const { flag, env, help } = option;
  const cells = [
    code(`--${flag}`),
    env === null ? '–' : code(env),
    env === null ? '–' : code(flag),
    option.required === true ? 'required' : option.default === undefined ? '' : code(option.default),
    cell(help),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
