/** What a reindex works on, checked before anything is written. */
import { TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { checkIndices } from './check-index.js';
import type { ReindexTarget } from './deps.js';
import { prepareDest, settingsOfNewDest, type CopyModel } from './prepare-dest.js';
import { checkSwap, type Swap } from './swap.js';

export interface TargetWish {
  /** Index, alias, data stream or expression. */
  readonly index: string;
  readonly dest: string | null;
  readonly swap: string | null;
  readonly deleteSource: boolean;
}

export interface PreparedTarget {
  readonly target: ReindexTarget;
  /** What slices are planned on: the expression in place, the one concrete index of a copy. */
  readonly source: string;
  /** Settings by which documents of a concrete source index are judged. */
  readonly settings: (index: string) => IndexSettings;
  /** All of these settings. */
  readonly all: readonly IndexSettings[];
  readonly swap: Swap | null;
  readonly warnings: readonly string[];
}

/** Checks, and makes the new index where one is wanted. Throws `bad_config`, `mapping_conflict` with what to do. */
export async function prepareTarget(
  client: EngineClient,
  { index, dest, swap, deleteSource }: TargetWish,
  model: CopyModel,
  signal: AbortSignal,
): Promise<PreparedTarget> {
  if (dest === null) {
    const { settings, warnings } = await checkIndices(client, index, 'write', model, signal);
    return {
      target: 'in_place',
      source: index,
      settings: lookUp(settings),
      all: [...settings.values()],
      swap: null,
      warnings,
    };
  }
  const read = await checkIndices(client, index, 'read', model, signal);
  const { source, settings } = await prepareDest(client, index, dest, model, signal);
  const write = await checkIndices(client, dest, 'write', model, signal);
  const wanted = swap === null ? null : { alias: swap, source, dest, deleteSource };
  if (wanted !== null) await checkSwap(client, wanted, signal);
  return {
    target: { dest },
    source,
    settings: () => settings,
    all: [settings],
    swap: wanted,
    warnings: [...read.warnings, ...write.warnings],
  };
}

/** Settings that were read before the start: an index that came later is of the next run. */
function lookUp(settings: ReadonlyMap<string, IndexSettings>): (index: string) => IndexSettings {
  return (index) => {
    const found = settings.get(index);
    if (found !== undefined) return found;
    throw new TwinrankError(
      'bad_config',
      `"${index}" came to the expression after the start. Run the command again, and it is taken in.`,
    );
  };
}

/** Settings by which a dry run judges: those that the reindex would go by, without making anything. */
export async function settingsForEstimate(
  client: EngineClient,
  { index, dest }: TargetWish,
  model: CopyModel,
  signal: AbortSignal,
): Promise<(index: string) => IndexSettings> {
  if (dest === null) return lookUp((await checkIndices(client, index, 'write', model, signal)).settings);
  const path = `/${encodeExpression(dest)}`;
  const { status } = await client.request({ method: 'HEAD', path, signal });
  if (status === 200) {
    const [settings] = (await checkIndices(client, dest, 'write', model, signal)).settings.values();
    if (settings !== undefined) return () => settings;
  }
  await checkIndices(client, index, 'read', model, signal);
  const settings = await settingsOfNewDest(client, index, dest, model, signal);
  return () => settings;
}
