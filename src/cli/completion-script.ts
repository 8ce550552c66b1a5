/**
 * Completion scripts for shells, written from the option tables, so that a key press starts no program. Pure.
 */
import { configurable, type CatalogEntry } from './catalog.js';
import type { Option } from './options.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A word that may be typed, with its explanation. */
interface Choice {
  readonly word: string;
  readonly help: string;
}

/** What may follow some words: commands or actions, and flags. */
interface Level {
  /** The words typed so far, after `twinrank`. */
  readonly path: string;
  readonly words: readonly Choice[];
  readonly flags: readonly Choice[];
}

/** Flags of every command. */
const COMMON: readonly Choice[] = [
  { word: '--config', help: 'Configuration file, JSON or YAML.' },
  { word: '--help', help: 'Show help.' },
];

/** The script to be evaluated by the shell. */
export function completionScript(shell: Shell, entries: readonly CatalogEntry[]): string {
  const levels = levelsOf(entries);
  switch (shell) {
    case 'bash':
      return bashScript(levels);
    case 'zsh':
      return zshScript(levels);
    case 'fish':
      return fishScript(levels);
  }
}

function levelsOf(entries: readonly CatalogEntry[]): readonly Level[] {
  const words = new Map<string, Map<string, string>>();
  const flags = new Map<string, readonly Choice[]>();
  const note = (path: readonly string[], help: string): void => {
    for (const [n, word] of path.entries()) {
      const above = path.slice(0, n).join(' ');
      const known = words.get(above) ?? new Map<string, string>();
      if (!known.has(word)) known.set(word, n === path.length - 1 ? help : '');
      words.set(above, known);
    }
  };
  for (const { name, summary, actions, options } of entries) {
    const path = name.split(' ');
    note(path, summary);
    for (const action of actions) note([...path, action], summary);
    flags.set(name, Object.values(options).map(choiceOf));
  }
  note(['config', 'print'], 'Show the options in force, and where each comes from.');
  for (const { name, summary, options } of configurable(entries)) {
    note(['config', 'print', ...name.split(' ')], summary);
    flags.set(`config print ${name}`, Object.values(options).map(choiceOf));
  }
  return [...new Set([...words.keys(), ...flags.keys()])].map((path) => ({
    path,
    words: [...(words.get(path) ?? [])].map(([word, help]) => ({ word, help })),
    flags: [...(flags.get(path) ?? []), ...COMMON],
  }));
}

function choiceOf({ flag, help }: Option<unknown>): Choice {
  return { word: `--${flag}`, help };
}

function bashScript(levels: readonly Level[]): string {
  const cases = levels.map(
    ({ path, words, flags }) => `    '${path}') words='${wordsOf(words)}'; flags='${wordsOf(flags)}' ;;\n`,
  );
  const paths = levels.map(({ path }) => `'${path}'`).join('|');
  return `# bash completion of twinrank: eval "$(twinrank completion bash)"
_twinrank() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' next word words='' flags='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ $word == -* ]] && break
    next="\${path:+$path }$word"
    case "$next" in
      ${paths}) path=$next ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join('')}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif ((i == COMP_CWORD)) && [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    # The value of a flag, most often a file: left to the shell.
    COMPREPLY=()
  fi
}
complete -o default -F _twinrank twinrank
`;
}

function zshScript(levels: readonly Level[]): string {
  const described = (choices: readonly Choice[]): string =>
    choices.map(({ word, help }) => `${quoted(`${word}:${help.replaceAll(':', '\\:')}`)}`).join(' ');
  const cases = levels.map(
    ({ path, words, flags }) =>
      `    '${path}') words_here=(${described(words)}); flags_here=(${described(flags)}) ;;\n`,
  );
  const paths = levels.map(({ path }) => `'${path}'`).join('|');
  return `#compdef twinrank
# zsh completion of twinrank: eval "$(twinrank completion zsh)" after compinit
_twinrank() {
  local path_here='' next word i
  local -a words_here flags_here
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    [[ $word == -* ]] && break
    next="\${path_here:+$path_here }$word"
    case "$next" in
      ${paths}) path_here=$next ;;
      *) break ;;
    esac
  done
  case "$path_here" in
${cases.join('')}  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o 'option' flags_here
  elif ((i == CURRENT && \${#words_here})); then
    _describe 'command' words_here
  else
    _files
  fi
}
compdef _twinrank twinrank
`;
}

function fishScript(levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, words, flags }) => {
    const here = `-n ${quoted(`__twinrank_at ${path}`.trim())}`;
    return [
      ...words.map(({ word, help }) => `complete -c twinrank ${here} -f -a ${word} -d ${quoted(help)}\n`),
      ...flags.map(
        ({ word, help }) => `complete -c twinrank ${here} -l ${word.slice(2)} -d ${quoted(help)}\n`,
      ),
    ];
  });
  const paths = levels.map(({ path }) => quoted(path)).join(' ');
  return `# fish completion of twinrank: twinrank completion fish | source
function __twinrank_at --description 'The command typed so far is this one'
  set -l path ''
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    set -l next (string trim -- "$path $word")
    contains -- "$next" ${paths}; or break
    set path $next
  end
  test "$path" = "$argv"
end
${lines.join('')}`;
}

function wordsOf(choices: readonly Choice[]): string {
  return choices.map(({ word }) => word).join(' ');
}

/** For zsh and fish: both take a quote within single quotes as given here. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
