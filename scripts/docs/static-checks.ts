/** What can be said of the documentation without running anything: commands, options, npm scripts, links. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { catalog } from '../../src/cli/catalog.js';
import { PROJECT_ROOT } from '../project-root.js';
import { anchorsOf, codeSpans, linksOf, readMarkdown, type Markdown } from './markdown.js';

/** Our pages, from the project's root: all Markdown that git would keep, but for what changes no more. */
export function pages(): string[] {
  const folders = ['.', 'docs', 'mappings', 'scripts/model', 'deploy', 'examples', 'models'];
  const found = folders.flatMap((folder) =>
    !existsSync(join(PROJECT_ROOT, folder))
      ? []
      : readdirSync(join(PROJECT_ROOT, folder), { recursive: folder !== '.', encoding: 'utf8' })
          .filter((name) => name.endsWith('.md'))
          .map((name) => join(folder, name)),
  );
  return [...new Set(found)].filter((page) => page !== 'CHANGELOG.md').sort();
}

export function readPage(page: string): Markdown {
  return readMarkdown(readFileSync(join(PROJECT_ROOT, page), 'utf8'));
}

/** Commands that are no entries of the catalog, with the flags that they have beside the common ones. */
const EXTRA: Readonly<Record<string, readonly string[]>> = {
  'config print': ['json'],
  completion: [],
};
const COMMON: ReadonlySet<string> = new Set(['help', 'version', 'config']);

/** Relative links that lead nowhere. */
export function brokenLinks(page: string): string[] {
  const markdown = readPage(page);
  return linksOf(markdown).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(PROJECT_ROOT, resolve(PROJECT_ROOT, dirname(page), path));
    if (!existsSync(join(PROJECT_ROOT, target))) return true;
    if (anchor === undefined || statSync(join(PROJECT_ROOT, target)).isDirectory()) return false;
    return !anchorsOf(readPage(target)).has(anchor);
  });
}

/** Shell text of a page: fenced blocks of commands, and code in lines. */
function shellTexts(markdown: Markdown): string[] {
  const fenced = markdown.fences.filter(({ info }) => /^(?:sh|bash)\b/.test(info)).map(({ text }) => text);
  return [...fenced, ...codeSpans(markdown)];
}

/** `npm run X` for scripts that there are not. */
export function unknownScripts(page: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return shellTexts(readPage(page))
    .flatMap((text) => [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name]) => name ?? ''))
    .filter((name) => !Object.hasOwn(scripts, name));
}

/** Invocations of `twinrank` with a command or a flag that there is not, each with what is wrong. */
export function unknownCommands(page: string): string[] {
  return shellTexts(readPage(page)).flatMap((text) =>
    invocations(text).flatMap((words) => {
      const wrong = faultOf(words);
      return wrong === undefined ? [] : [`twinrank ${words.join(' ')}: ${wrong}`];
    }),
  );
}

/** The words after `twinrank`, of each time that it is called in a shell text. */
export function invocations(text: string): string[][] {
  const commands = text
    .replaceAll(/\\\n\s*/g, ' ')
    .split(/\n|&&|\|\||[;|]/)
    .map((line) => line.replace(/\s#.*$/, '').trim());
  return commands.flatMap((command) => {
    const match = /^(?:\$ )?(?:[A-Z_]+=\S*\s+)*twinrank\s+(.*)$/.exec(command);
    return match === null ? [] : [(match[1] ?? '').split(/\s+/).filter((word) => word !== '')];
  });
}

function faultOf(words: readonly string[]): string | undefined {
  const [first = '', second = ''] = words;
  if (first.startsWith('-')) return COMMON.has(first.replace(/^-+/, '')) ? undefined : 'no such option';
  if (first.startsWith('<')) return undefined;
  const entries = catalog();
  // Several are named at once: `model list`, `inspect`.
  const name = [`${first} ${second}`.trim(), first].find(
    (one) => Object.hasOwn(EXTRA, one) || entries.some((entry) => entry.name === one),
  );
  const isGroup = entries.some((entry) => entry.name.startsWith(`${first} `)) || first === 'config';
  if (name === undefined) return isGroup && second === '' ? undefined : 'no such command';
  const options = entries.find((entry) => entry.name === name)?.options ?? {};
  const flags = new Set([...Object.values(options).map(({ flag }) => flag), ...(EXTRA[name] ?? [])]);
  const unknown = words
    .flatMap((word) => /^--([a-z][a-z-]*)/.exec(word)?.[1] ?? [])
    .filter((flag) => !flags.has(flag) && !COMMON.has(flag) && name !== 'config print');
  return unknown.length === 0 ? undefined : `no option ${unknown.map((flag) => `--${flag}`).join(', ')}`;
}
