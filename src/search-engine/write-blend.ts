/** Sets the blend of indices that are set up already, and leaves everything else as it is. */
import { TwinrankError } from '../errors.js';
import type { EngineClient } from './client.js';
import { readSettings } from './index-settings.js';
import { applyToIndex } from './mapping-apply.js';

/**
 * Writes `weight` into `_meta.twinrank.blend` of every index behind the name; returns the names of those. Throws
 * `bad_config` where none is set up, `upstream_answer` where the engine refuses.
 */
export async function writeBlend(
  client: EngineClient,
  index: string,
  weight: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const settings = await readSettings(client, index, signal);
  if (settings.size === 0)
    throw new TwinrankError(
      'bad_config',
      `"${index}" is not set up for twinrank, so a blend cannot be written. Run "twinrank mapping apply".`,
    );
  for (const [name, present] of settings)
    await applyToIndex(client, name, { ...present, blend: weight }, false, signal);
  return [...settings.keys()];
}
