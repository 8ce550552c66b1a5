import { TwinrankError } from '../errors.js';
import type { IndexSettings } from './mapping-meta.js';

/** What is to be done where an index is set up for another model than the one that a service has loaded. */
export function otherModelError(
  index: string,
  settings: Pick<IndexSettings, 'model' | 'fingerprint' | 'dimensions'>,
  loaded: { readonly fingerprint: string; readonly dimensions: number },
): TwinrankError {
  return new TwinrankError(
    'bad_config',
    `"${index}" is set up for model ${settings.model} (${settings.fingerprint}, ${settings.dimensions} dimensions), ` +
      `this service runs ${loaded.fingerprint} (${loaded.dimensions} dimensions). Start it with the bundle of that model ` +
      '(--model FOLDER), or set the index up for this one: twinrank mapping apply with --force, then twinrank reindex.',
  );
}
