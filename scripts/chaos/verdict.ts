/** Holds what an index contains against what was acknowledged. */
import { isDeepStrictEqual } from 'node:util';
import { hashText, readHeader } from '../../src/search-engine/vector-payload.js';
import { wholeSource } from './documents.js';
import type { Found } from './inspect.js';
import { historyOf, possibleStates, type State, type TrackedDocument } from './ledger.js';

/** How the index's vectors must be. */
export interface VectorWish {
  readonly field: string;
  readonly fingerprint: string;
}

/** Everything that is wrong, with the history of each document concerned. */
export function judge(
  documents: readonly TrackedDocument[],
  found: ReadonlyMap<number, readonly Found[]>,
  wish: VectorWish,
): readonly string[] {
  const known = new Set(documents.map(({ n }) => n));
  const strangers = [...found]
    .filter(([n]) => !known.has(n))
    .map(([n, [one]]) => `nobody sent document ${n}: ${one?.id} ${one?.source.slice(0, 200)}`);
  const wrong = documents.flatMap((document) => {
    const problem = problemOf(document, found.get(document.n) ?? [], wish);
    return problem === undefined
      ? []
      : [`document ${document.n} (${document.id ?? 'no id'}): ${problem}\n${historyOf(document)}`];
  });
  return [...strangers, ...wrong];
}

function problemOf(document: TrackedDocument, found: readonly Found[], wish: VectorWish): string | undefined {
  const [one, ...more] = found;
  const states = possibleStates(document);
  if (one === undefined) return states.includes(undefined) ? undefined : 'acknowledged, and not there';
  if (more.length > 0) return `there ${found.length} times: ${found.map(({ id }) => id).join(', ')}`;
  if (document.id !== undefined && one.id !== document.id) return `its id is ${one.id}`;
  const state = states.find((s) => s !== undefined && isStateOf(s, document.n, one.source, wish.field));
  if (state === undefined)
    return `not as it may be (${states.map(describe).join(' or ')}), but ${withoutVector(one.source, wish.field)}`;
  return vectorProblem(one.source, state.title, wish);
}

function isStateOf(state: State, n: number, source: string, field: string): boolean {
  if (state.source !== undefined) return withoutVector(source, field) === state.source;
  const { [field]: _ours, ...rest } = JSON.parse(source) as Record<string, unknown>;
  return isDeepStrictEqual(rest, JSON.parse(wholeSource(n, state.version, state.title)));
}

/** The vector is the first member; what is left without it and its comma must be the bytes that were sent. */
function withoutVector(source: string, field: string): string {
  const first = `{"${field}":"`;
  if (!source.startsWith(first)) return source;
  const end = source.indexOf('",', first.length);
  return end < 0 ? source : `{${source.slice(end + 2)}`;
}

function vectorProblem(source: string, title: string, wish: VectorWish): string | undefined {
  const stored = (JSON.parse(source) as Record<string, unknown>)[wish.field];
  if (typeof stored !== 'string') return 'it has no vector';
  const header = readHeader(Buffer.from(stored, 'base64'));
  if (header === undefined) return 'its vector is no vector';
  if (header.fingerprint !== wish.fingerprint) return `its vector is of the model ${header.fingerprint}`;
  return header.textHash === hashText(title) ? undefined : `its vector is not of its title "${title}"`;
}

function describe(state: State | undefined): string {
  return state === undefined ? 'absent' : (state.source ?? `version ${state.version} "${state.title}"`);
}
