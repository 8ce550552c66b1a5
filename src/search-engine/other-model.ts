import { TwinrankError } from '../errors.js';
import type { IndexSettings } from './mapping-meta.js';

/** What tells one encoder's vectors from another's. */
interface EncoderIdentity {
  readonly fingerprint: string;
  readonly dimensions: number;
}

/** True where both have the same encoder's vectors, which alone compare. */
export function haveSameEncoder(one: EncoderIdentity, other: EncoderIdentity): boolean {
  return one.fingerprint === other.fingerprint && one.dimensions === other.dimensions;
}

/** What is to be done where an index is set up for another model than the one that a service has loaded. */
export function otherModelError(
  index: string,
  settings: Pick<IndexSettings, 'model' | 'fingerprint' | 'dimensions'>,
  loaded: EncoderIdentity,
): TwinrankError {
  return new TwinrankError(
    'bad_config',
    `"${index}" is set up for model ${settings.model} (${settings.fingerprint}, ${settings.dimensions} dimensions), ` +
      `this service runs ${loaded.fingerprint} (${loaded.dimensions} dimensions). Start it with the bundle of that model ` +
      '(--model FOLDER), or set the index up for this one: twinrank mapping apply with --force, then twinrank reindex.',
  );
}
