/** Moves an alias from the source of a copy to the copy, in one step that no search can fall between. */
import { TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { asRecord } from '../../search-engine/json-value.js';
import { patientRead } from './patient-read.js';
import { mustSucceed } from './expect-success.js';

export interface Swap {
  readonly alias: string;
  /** Concrete index. */
  readonly source: string;
  readonly dest: string;
  /** Delete the source in the same step. Must be set where the alias has the source's own name. */
  readonly deleteSource: boolean;
}

type Options = Readonly<Record<string, unknown>>;
type Action = Readonly<Record<string, Options>>;

/** Aliases and their options, by index. */
export type AliasesByIndex = ReadonlyMap<string, ReadonlyMap<string, Options>>;

/** Does it; can be repeated. Throws `bad_config` where the alias is another index's. */
export async function swapAlias(client: EngineClient, swap: Swap, signal: AbortSignal): Promise<void> {
  const actions = swapActions(swap, await presentAliases(client, signal));
  if (actions.length === 0) return;
  await mustSucceed(client, `move the alias "${swap.alias}" to "${swap.dest}"`, {
    method: 'POST',
    path: '/_aliases',
    body: { actions },
    signal,
  });
}

/** Throws `bad_config` where the swap could not be done as things stand: to be known before the copying. */
export async function checkSwap(client: EngineClient, swap: Swap, signal: AbortSignal): Promise<void> {
  swapActions(swap, await presentAliases(client, signal));
}

/** Actions of the one `_aliases` call; none where all is done. */
export function swapActions({ alias, source, dest, deleteSource }: Swap, present: AliasesByIndex): Action[] {
  const ofSource = present.get(source);
  const ofDest = present.get(dest);
  if (alias === dest)
    throw new TwinrankError('bad_config', `The alias "${alias}" has the name of the new index.`);
  if (alias !== source && present.has(alias))
    throw new TwinrankError('bad_config', `"${alias}" is an index, so it cannot become an alias.`);
  if (alias === source && ofSource !== undefined && !deleteSource) {
    throw new TwinrankError(
      'bad_config',
      `"${alias}" is the name of the source index itself. It can become an alias of "${dest}" only in place of the index: ` +
        'add --delete-source, or name another alias with --swap.',
    );
  }
  const holders = [...present].filter(([, aliases]) => aliases.has(alias)).map(([index]) => index);
  const isElsewhere = holders.length > 0 && ofSource?.has(alias) !== true && ofDest?.has(alias) !== true;
  if (isElsewhere) {
    throw new TwinrankError(
      'bad_config',
      `The alias "${alias}" belongs to ${holders.join(', ')}, not to "${source}".`,
    );
  }
  const actions: Action[] = [];
  const move = (name: string, options: Options): void => {
    if (!deleteSource) actions.push({ remove: { index: source, alias: name } });
    actions.push({ add: { index: dest, alias: name, ...options } });
  };
  if (deleteSource && ofSource !== undefined) {
    actions.push({ remove_index: { index: source } });
    // Its other aliases would go with the index.
    for (const [name, options] of ofSource) move(name, options);
  } else if (ofSource?.has(alias) === true) move(alias, ofSource.get(alias) ?? {});
  const isMoved = ofDest?.has(alias) === true || actions.some((action) => action['add']?.['alias'] === alias);
  if (!isMoved) actions.push({ add: { index: dest, alias } });
  return actions;
}

async function presentAliases(client: EngineClient, signal: AbortSignal): Promise<AliasesByIndex> {
  const request = { method: 'GET', path: '/_alias', signal } as const;
  const { body } = await mustSucceed(client, 'show its aliases', request);
  const byIndex = new Map<string, Map<string, Options>>();
  for (const [index, entry] of Object.entries(asRecord(body))) {
    const aliases = asRecord(asRecord(entry)['aliases']);
    byIndex.set(index, new Map(Object.entries(aliases).map(([name, options]) => [name, asRecord(options)])));
  }
  return byIndex;
}

/** The one concrete index behind a name; undefined where there is none. */
export async function concreteIndex(
  client: EngineClient,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/${encodeExpression(name)}/_alias`;
  const answer = await patientRead(client, { method: 'GET', path, signal });
  const [only, ...others] = Object.keys(asRecord(answer.body));
  return answer.status === 200 && others.length === 0 ? only : undefined;
}
