/** The rules on who may import what, as a function from source texts to violations. */
import { posix } from 'node:path';

/** Areas of src and the areas that each may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'ingest',
    'rerank',
    'serve',
    'evaluate',
    'hub',
    'playground',
    'http',
    'model',
    'search-engine',
    'errors',
  ],
  ingest: ['http', 'model', 'search-engine', 'errors'],
  rerank: ['http', 'model', 'search-engine', 'errors'],
  // The model for other systems: it needs no engine.
  serve: ['http', 'model', 'errors'],
  evaluate: ['http', 'model', 'search-engine', 'errors'],
  // The page puts what the proxy answers beside what the evaluation makes of it.
  playground: ['evaluate', 'http', 'search-engine', 'errors'],
  hub: ['model', 'search-engine', 'errors'],
  http: ['errors'],
  model: ['errors'],
  'search-engine': ['errors'],
  errors: [],
};

/** Sources by their path below src, with slashes: `http/listen.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** Every breach in one line each; empty when the sources keep the rules. */
export function importViolations(sources: Sources): readonly string[] {
  const violations: string[] = [];
  const users = new Map<string, string[]>();
  for (const [file, text] of sources) {
    for (const target of importsOf(text)) {
      if (target.startsWith('node:')) continue;
      if (target.startsWith('.')) violations.push(...edgeViolation(file, target));
      else {
        const library = libraryName(target);
        users.set(library, [...new Set([...(users.get(library) ?? []), file])]);
      }
    }
    violations.push(...processViolations(file, text));
  }
  for (const [library, files] of users) violations.push(...libraryViolations(library, files));
  return violations;
}

/** Module names in import, export-from, dynamic import and require. */
export function importsOf(text: string): readonly string[] {
  const code = withoutComments(text);
  const patterns = [
    /\b(?:import|export)\b(?:\s+type\b)?[^'"`;()]*?\bfrom\s*(['"])([^'"]+)\1/g,
    /\bimport\s*(['"])([^'"]+)\1/g,
    /\b(?:import|require|resolve)\s*\(\s*(['"`])([^'"`]+)\1/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2] ?? ''));
}

function edgeViolation(file: string, target: string): readonly string[] {
  const resolved = posix.normalize(posix.join(posix.dirname(file), target));
  if (resolved.startsWith('..')) {
    // The package's own version is the one thing outside src that belongs to it.
    return resolved.endsWith('package.json') ? [] : [`${file} imports ${target}, which lies outside src.`];
  }
  const [from, to] = [areaOf(file), areaOf(resolved)];
  const allowed = ALLOWED[from];
  if (allowed === undefined) return [`${file} lies in no known area of src.`];
  if (from === to || allowed.includes(to)) return [];
  return [`${file} imports ${target}: ${from} must not import ${to}.`];
}

/** Files that use a library for a purpose of their own, besides its one file. */
const EXEMPT: Readonly<Record<string, RegExp>> = {
  // Each service builds its own app.
  express: /(^|\/)app\.ts$|^http\//,
  // The way to the Hub has proxies and redirects, the way to the engine a connection for each caller.
  undici: /^hub\/transport\.ts$/,
};
const NONE = /^$/;

function libraryViolations(library: string, files: readonly string[]): readonly string[] {
  const counted = files.filter((file) => !(EXEMPT[library] ?? NONE).test(file));
  const limit = library === 'express' ? 0 : 1;
  if (counted.length <= limit) return [];
  return [`${library} is imported by ${counted.join(', ')}; give it one file.`];
}

function processViolations(file: string, text: string): readonly string[] {
  if (areaOf(file) === 'cli') return [];
  const used = /\bprocess\s*(?:\.|\[\s*['"])\s*(env|exit|exitCode|argv)\b/.exec(withoutComments(text));
  return used === null ? [] : [`${file} uses process.${used[1]}; only src/cli may.`];
}

function areaOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.[jt]s$/, '');
}

function libraryName(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
